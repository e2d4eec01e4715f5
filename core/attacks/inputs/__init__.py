"""Attacks on inputs: small changes of an image that change the prediction."""

from core.attacks.inputs.fgsm import FGSM
from core.attacks.inputs.pgd import PGD
from core.attacks.inputs.regional import Regional

__all__ = ["FGSM", "PGD", "Regional"]
