"""Backdoor defenses, one per file: from a model and a few clean images to a repaired model."""

from core.defenses.fine_pruning import FinePruning
from core.defenses.fine_tuning import FineTuning
from core.defenses.tsbd import TSBD

DEFENSES = [FineTuning, FinePruning, TSBD]

__all__ = ["DEFENSES", "TSBD", "FinePruning", "FineTuning"]
