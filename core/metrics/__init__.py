"""Scores of models, repairs, channels and detectors: one definition each, fractions in [0, 1]."""

from core.metrics.background import BackgroundScores, background_scores
from core.metrics.balanced_accuracy import PrecisionRecall, bacc, bacc_ceiling, precision_recall
from core.metrics.bec import Existence, bec, existence, same_layers
from core.metrics.calibration import Calibration, calibration
from core.metrics.cka import linear_cka
from core.metrics.confusion import confusion, correct
from core.metrics.evaluation import evaluate
from core.metrics.intervals import wilson
from core.metrics.localisation import energy_pointing_game, masks_of
from core.metrics.ratings import der, rir
from core.metrics.roc import Roc, roc
from core.metrics.scores import Scores
from core.metrics.tac import RANKINGS, TAC

__all__ = [
    "RANKINGS",
    "TAC",
    "BackgroundScores",
    "Calibration",
    "Existence",
    "PrecisionRecall",
    "Roc",
    "Scores",
    "bacc",
    "bacc_ceiling",
    "background_scores",
    "bec",
    "calibration",
    "confusion",
    "correct",
    "der",
    "energy_pointing_game",
    "evaluate",
    "existence",
    "linear_cka",
    "masks_of",
    "precision_recall",
    "rir",
    "roc",
    "same_layers",
    "wilson",
]
