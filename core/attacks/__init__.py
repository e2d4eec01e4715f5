"""Attacks: on inputs (small changes that change the prediction), on weights, and on defended models."""

from core.attacks.inputs.apgd import APGD, APGDT
from core.attacks.inputs.autoattack import AutoAttack, Stage
from core.attacks.inputs.carlini_wagner import CarliniWagner
from core.attacks.inputs.deepfool import DeepFool
from core.attacks.inputs.fab import FAB
from core.attacks.inputs.fgsm import FGSM
from core.attacks.inputs.mifgsm import MIFGSM
from core.attacks.inputs.pgd import PGD
from core.attacks.inputs.regional import (
    Comparison,
    Ratio,
    Regional,
    ResizeCost,
    Transfer,
    compare,
    drawn,
    fitted,
    global_counterpart,
    loading_slip,
    resize_cost,
    right_for_both,
    transfer,
)
from core.attacks.inputs.square import Square
from core.attacks.reactivation.reactivation import ReActivation, Reactivation
from core.attacks.robustness.robust_curve import RobustCurve, Robustness
from core.attacks.robustness.robustness_report import RobustnessReport, RobustReport
from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.universal.patch import Patch
from core.attacks.universal.universal import Universal
from core.attacks.universal.universal_change import Fooled, UniversalChange
from core.attacks.weights.weight_backdoor import WeightBackdoor

ATTACKS = [FGSM, PGD, MIFGSM, APGD, APGDT, CarliniWagner, DeepFool, FAB, Square, AutoAttack, Regional]
WEIGHT_ATTACKS = [WeightBackdoor]
REACTIVATIONS = [ReActivation]
UNIVERSALS = [Universal, Patch]
CURVES = [RobustCurve]
REPORTS = [RobustnessReport]

__all__ = [
    "APGD",
    "APGDT",
    "ATTACKS",
    "CURVES",
    "FAB",
    "FGSM",
    "MIFGSM",
    "PGD",
    "REACTIVATIONS",
    "REPORTS",
    "UNIVERSALS",
    "WEIGHT_ATTACKS",
    "Adversarial",
    "AutoAttack",
    "CarliniWagner",
    "Comparison",
    "DeepFool",
    "Fooled",
    "Patch",
    "Ratio",
    "ReActivation",
    "Reactivation",
    "Regional",
    "ResizeCost",
    "RobustCurve",
    "RobustReport",
    "Robustness",
    "RobustnessReport",
    "Square",
    "Stage",
    "Transfer",
    "Universal",
    "UniversalChange",
    "WeightBackdoor",
    "compare",
    "drawn",
    "fitted",
    "global_counterpart",
    "loading_slip",
    "norms_of",
    "resize_cost",
    "right_for_both",
    "transfer",
]
