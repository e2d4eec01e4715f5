"""Spectral signatures: poison stands out along one direction of its class's features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.detection import Detection, activations, check_suspects
from core.knobs import Method, knob
from core.runs import Progress, Run


@dataclass(frozen=True)
class SpectralSignatures(Method):
    """Tran, Li, Madry, "Spectral signatures in backdoor attacks", NeurIPS 2018 (arXiv 1811.00636), a detector on
    training data.

    By given label, the features R (n, d) before the last layer are centred, M = R - mean; with v the
    top right singular vector of M, image i has the score (M_i . v)^2. The 1.5 epsilon share with the
    highest scores is removed from every class, the clean ones too. With 10 % of all pictures led to
    one of ten classes that is 15 % of a class of which half is poison: most of it stays.
    """

    eps: float = knob(
        0.1, low=0.0, high=0.6, step=0.01, symbol="ε", help="assumed share of poison in a class", primary=True
    )
    factor: float = knob(1.5, low=1.0, high=3.0, step=0.1, help="share that is removed, as a multiple of ε", paper=1.5)

    #: It judges a training set by its given labels.
    suspects: ClassVar[str] = "training data"
    #: What its score is, for an axis; squares of very different size, so that the axis is logarithmic.
    score: ClassVar[str] = "squared projection on the top singular vector"
    logarithmic: ClassVar[bool] = True

    def run(
        self, model: nn.Module, suspects: ImageSet, *, clean: ImageSet | None = None, seed: int = 0
    ) -> Run[Detection]:
        """Scores (N,) of a training set with its given labels; needs neither `clean` nor `seed`.

        flagged: floor(1.5 epsilon n) images of each class; threshold: the lowest score that was
        flagged in any class (inf where none was). `report`: "features" (N, d), and by class (K,)
        "explained" (the share of the variance along v) and "threshold". Raises ValueError for weights
        that are not finite, classes that do not match, and a model without a last linear layer.
        """
        check_suspects("SpectralSignatures", model, suspects)
        features = yield from activations(model, suspects)
        labels, classes = suspects.labels.cpu(), len(suspects.class_names)
        scores, flagged = torch.zeros(len(labels)), torch.zeros(len(labels), dtype=torch.bool)
        explained, threshold = torch.full((classes,), math.nan), torch.full((classes,), math.inf)
        for label in range(classes):
            members = torch.nonzero(labels == label)[:, 0]
            if len(members) > 1:
                scores[members], explained[label] = along(features[members])
            worst = members[scores[members].argsort(descending=True)[: self.removed(len(members))]]
            flagged[worst] = True
            if len(worst):
                threshold[label] = scores[worst].min()
            yield Progress("spectrum", label + 1, classes, {"explained": explained[label].item()})
        report: dict[str, Tensor | float] = {
            "features": features.float(), "explained": explained, "threshold": threshold,
        }  # fmt: skip
        return Detection(scores, flagged, threshold.min().item(), report)

    def removed(self, n: int) -> int:
        """How many of a class of n are removed."""
        return min(n, int(self.factor * self.eps * n + 1e-9))


def along(features: Tensor) -> tuple[Tensor, Tensor]:
    """Squared projections (n,) of centred features (n, d) on their top right singular vector, and its share of
    the variance."""
    centred = features - features.mean(0)
    _, values, rows = torch.linalg.svd(centred, full_matrices=False)
    spread = values.square()
    return (centred @ rows[0]).square().float(), (spread[0] / spread.sum().clamp_min(1e-30)).float()
