"""Trainings (with `.run`), one per file, and parts of a training, which have none."""

from core.knobs import Method
from core.optim.sam import SAM
from core.training.abl import ABL
from core.training.poisoned_fine_tuning import PoisonedFineTuning
from core.training.standard import Standard

TRAININGS = [Standard, PoisonedFineTuning, ABL]
PARTS: list[type[Method]] = [SAM]

__all__ = ["ABL", "PARTS", "SAM", "TRAININGS", "PoisonedFineTuning", "Standard"]
