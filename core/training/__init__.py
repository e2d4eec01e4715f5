"""Trainings (with `.run`), one per file, and parts of a training, which have none."""

from core.knobs import Method
from core.optim.awp import AWP
from core.optim.sam import SAM
from core.training.abl import ABL
from core.training.adversarial import Adversarial
from core.training.explanation_consistency.explanation_consistency import ExplanationConsistency
from core.training.mart import MART
from core.training.mixing.comparison import Mixing
from core.training.mixing.cutmix import CutMix
from core.training.mixing.fmix import FMix
from core.training.mixing.mixer import Mixed
from core.training.mixing.mixup import MixUp
from core.training.poisoned_fine_tuning import PoisonedFineTuning
from core.training.single_step import FGSMRS, NFGSM
from core.training.standard import Standard
from core.training.trades import TRADES

TRAININGS = [Standard, PoisonedFineTuning, ABL]
ROBUST = [Adversarial, TRADES, MART]
CONSISTENT = [ExplanationConsistency]
MIXERS = [MixUp, CutMix, FMix]
COMPARISONS = [Mixing]
PARTS: list[type[Method]] = [SAM, AWP, FGSMRS, NFGSM, *MIXERS]

__all__ = [
    "ABL",
    "AWP",
    "COMPARISONS",
    "CONSISTENT",
    "FGSMRS",
    "MART",
    "MIXERS",
    "NFGSM",
    "PARTS",
    "ROBUST",
    "SAM",
    "TRADES",
    "TRAININGS",
    "Adversarial",
    "CutMix",
    "ExplanationConsistency",
    "FMix",
    "MixUp",
    "Mixed",
    "Mixing",
    "PoisonedFineTuning",
    "Standard",
]
