"""Trainings (with `.run`), one per file, and parts of a training, which have none."""

from core.knobs import Method
from core.optim.sam import SAM
from core.training.abl import ABL
from core.training.mixing.cutmix import CutMix
from core.training.mixing.fmix import FMix
from core.training.mixing.mixer import Mixed
from core.training.mixing.mixup import MixUp
from core.training.poisoned_fine_tuning import PoisonedFineTuning
from core.training.standard import Standard

TRAININGS = [Standard, PoisonedFineTuning, ABL]
MIXERS = [MixUp, CutMix, FMix]
PARTS: list[type[Method]] = [SAM, *MIXERS]

__all__ = [
    "ABL",
    "MIXERS",
    "PARTS",
    "SAM",
    "TRAININGS",
    "CutMix",
    "FMix",
    "MixUp",
    "Mixed",
    "PoisonedFineTuning",
    "Standard",
]
