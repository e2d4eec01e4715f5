"""Whether a network is right as often as its confidence says: reliability diagram and expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Calibration:
    """A reliability diagram: predictions sorted into bins of equal width by their confidence.

    counts : (B,) int64, predictions in each bin; bin b holds confidences in (b / B, (b + 1) / B]
    confidence, accuracy : (B,) float64, the mean of each in each bin, NaN where it is empty
    """

    counts: Tensor
    confidence: Tensor
    accuracy: Tensor

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    @property
    def ece(self) -> float:
        """Expected calibration error, sum_b counts_b / n |accuracy_b - confidence_b|, in [0, 1]."""
        return float((self.counts * (self.accuracy - self.confidence).abs()).nansum() / max(1, self.n))

    @property
    def overconfidence(self) -> float:
        """Mean confidence less accuracy over all predictions: positive where a network is too sure of itself."""
        return float((self.counts * (self.confidence - self.accuracy)).nansum() / max(1, self.n))


def calibration(logits: Tensor, labels: Tensor, bins: int = 15) -> Calibration:
    """The reliability diagram of logits (N, K) and labels (N,).

    Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017 (arXiv 1706.04599). Confidence
    is the largest softmax probability. With few pictures the error is biased upwards: a perfectly calibrated network
    has one above 0 by the chance of each bin.
    """
    if bins < 1:
        raise ValueError(f"bins = {bins} must be 1 or more.")
    confidence, answer = logits.double().softmax(1).max(1)
    right = (answer == labels.to(answer.device)).double()
    bin_of = (confidence * bins).ceil().long().sub_(1).clamp_(0, bins - 1)
    counts = torch.bincount(bin_of, minlength=bins)
    totals = (torch.bincount(bin_of, weights, minlength=bins) for weights in (confidence, right))
    means = [(total / counts).cpu() for total in totals]
    return Calibration(counts.cpu(), *means)
