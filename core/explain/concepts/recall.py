"""Recall of a concept, never without the false positive rate it is bought with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.metrics.roc import Roc, roc

FPR = 0.05
"""The false positive rate at which recalls are compared."""


@dataclass(frozen=True)
class Recalls:
    """How planes do on pictures that they were not fitted to, one value per random set, (R,), fractions.

    recall, false_positive_rate : beyond the plane, TP / (TP + FN) and FP / (FP + TN); a shift of the plane moves both
    recall_at_5 : the largest recall with at most 5 % false positives, wherever the plane lies
    auroc : area under the ROC curve
    """

    recall: Tensor
    false_positive_rate: Tensor
    recall_at_5: Tensor
    auroc: Tensor


def recalls(distances: Tensor, concept: Tensor) -> tuple[Recalls, Roc]:
    """Of distances (R, N) to each plane, for pictures that hold the `concept`, bool (N,), or not; the first curve."""
    curves = [roc(each, concept) for each in distances]
    beyond = (distances > 0).double()
    found = Recalls(
        beyond[:, concept].mean(1),
        beyond[:, ~concept].mean(1),
        torch.tensor([curve.tpr_at(FPR) for curve in curves], dtype=torch.float64),
        torch.tensor([curve.auroc for curve in curves], dtype=torch.float64),
    )
    return found, curves[0]
