"""How well scores tell two kinds of images apart: the ROC curve, its area, and a point on it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor


class Roc(NamedTuple):
    """The curve from (0, 0) to (1, 1).

    fpr, tpr : float (P,), shares of the negatives and of the positives above each threshold, ascending
    auroc : area under it: how often a positive scores higher than a negative (ties count half)
    """

    fpr: Tensor
    tpr: Tensor
    auroc: float

    def tpr_at(self, fpr: float) -> float:
        """The highest true positive rate at a false positive rate of at most `fpr`."""
        return self.tpr[self.fpr <= fpr + 1e-12].max().item()


def roc(scores: Tensor, truth: Tensor) -> Roc:
    """The ROC curve of scores (N,), higher = more likely positive, for truth bool (N,).

    Raises ValueError in one sentence unless there are positives and negatives, and finite scores.
    """
    positives = truth.bool().cpu()
    if bool(positives.all()) or not bool(positives.any()):
        raise ValueError(f"A ROC curve needs both kinds; all {len(positives)} images are of one.")
    values = scores.detach().double().cpu()
    if not bool(values.isfinite().all()):
        raise ValueError("A ROC curve needs finite scores; some are not.")
    fpr, tpr, _ = roc_curve(positives.numpy(), values.numpy(), drop_intermediate=False)
    auroc = float(roc_auc_score(positives.numpy(), values.numpy()))
    return Roc(torch.from_numpy(fpr), torch.from_numpy(tpr), auroc)
