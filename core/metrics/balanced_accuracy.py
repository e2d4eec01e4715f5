"""How well a rule for outliers does: balanced accuracy, the highest that its thresholds allow, and precision."""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn.metrics import average_precision_score, precision_recall_curve
from torch import Tensor


def bacc(scores: Tensor, is_outlier: Tensor, threshold: float = 1.0) -> float:
    """Balanced accuracy, (TPR + TNR) / 2, of rejecting what scores (N,) above `threshold`; is_outlier bool (N,).

    ValueError where all pictures are of one kind.
    """
    truth = is_outlier.bool().to(scores.device)
    if bool(truth.all()) or not bool(truth.any()):
        raise ValueError(f"Balanced accuracy needs both kinds; all {len(truth)} pictures are of one.")
    rejected = scores > threshold
    return (rejected[truth].double().mean() + (~rejected[~truth]).double().mean()).item() / 2


def bacc_ceiling(rejected: float, contamination: float) -> float:
    """The highest balanced accuracy of a rule that rejects a share of its training pictures, of which a share
    `contamination`, below 1, are outliers.

    With r rejected and c outliers, at most min(r, c) of all pictures are rejected outliers, and what is rejected beyond
    c is normal: TPR <= min(1, r / c), which is 1 for c = 0, and TNR <= 1 - max(0, r - c) / (1 - c). The best ranking
    reaches both at once. Two thresholds at 10 % each reject 10 to 20 %, which leaves .90 to .95 on clean data. It is
    exact on the training pictures; on others as far as they score alike.
    """
    found = min(1.0, rejected / contamination) if contamination else 1.0
    lost = max(0.0, rejected - contamination) / (1 - contamination)
    return (found + 1 - lost) / 2


class PrecisionRecall(NamedTuple):
    """The curve from the lowest threshold to the highest.

    precision, recall : float (P,); ap : average precision
    """

    precision: Tensor
    recall: Tensor
    ap: float


def precision_recall(scores: Tensor, truth: Tensor) -> PrecisionRecall:
    """The precision-recall curve of scores (N,), higher = more likely positive, for truth bool (N,)."""
    positives, values = truth.bool().cpu().numpy(), scores.detach().double().cpu().numpy()
    precision, recall, _ = precision_recall_curve(positives, values)
    ap = float(average_precision_score(positives, values))
    return PrecisionRecall(torch.from_numpy(precision.copy()), torch.from_numpy(recall.copy()), ap)
