"""Attacks on inputs: change an image a little, and the answer a lot."""

from core.attacks.adversarial import Adversarial, norms_of
from core.attacks.fgsm import FGSM
from core.attacks.locality import Comparison, Ratio, compare, global_counterpart, loading_slip
from core.attacks.pgd import PGD
from core.attacks.regional import Regional, right_for_both

ATTACKS = [FGSM, PGD, Regional]

__all__ = [
    "ATTACKS", "FGSM", "PGD", "Adversarial", "Comparison", "Ratio", "Regional", "compare", "global_counterpart",
    "loading_slip", "norms_of", "right_for_both",
]
