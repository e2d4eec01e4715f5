"""Attacks on inputs: change an image a little, and the answer a lot."""

from core.attacks.inputs.fgsm import FGSM
from core.attacks.inputs.pgd import PGD
from core.attacks.inputs.regional import Regional

__all__ = ["FGSM", "PGD", "Regional"]
