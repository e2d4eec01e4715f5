"""Attacks: on inputs (change an image a little, and the answer a lot), on weights, and on defended models."""

from core.attacks.adversarial import Adversarial, norms_of
from core.attacks.fgsm import FGSM
from core.attacks.locality import Comparison, Ratio, compare, global_counterpart, loading_slip
from core.attacks.pgd import PGD
from core.attacks.reactivation import ReActivation, Reactivation
from core.attacks.regional import Regional, right_for_both
from core.attacks.weight_backdoor import WeightBackdoor

ATTACKS = [FGSM, PGD, Regional]
WEIGHT_ATTACKS = [WeightBackdoor]
REACTIVATIONS = [ReActivation]

__all__ = [
    "ATTACKS", "FGSM", "PGD", "REACTIVATIONS", "WEIGHT_ATTACKS", "Adversarial", "Comparison", "Ratio", "ReActivation",
    "Reactivation", "Regional", "WeightBackdoor", "compare", "global_counterpart",
    "loading_slip", "norms_of", "right_for_both",
]
