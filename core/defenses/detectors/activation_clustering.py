"""Activation clustering: the features of a poisoned class fall into two clusters."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.detection import Detection, activations, check_suspects
from core.knobs import Method, knob
from core.runs import Progress, Run

FEWEST = 4
"""Images of a class below which two clusters mean nothing."""


@dataclass(frozen=True)
class ActivationClustering(Method):
    """AC (Chen et al., "Detecting backdoor attacks on deep neural networks by activation clustering", 2018,
    arXiv 1811.03728), a detector on training data.

    By given label, the features before the last layer are reduced to a few dimensions and cut into
    two by k-means. The score of an image is S s: S is the mean silhouette of its class, that is, how
    clearly the class falls apart, and s how clearly the image lies in the smaller cluster: with its
    distances a to its own and b to the other centre, (b - a) / max(a, b) in the smaller cluster and
    minus that in the larger. In [-1, 1], above 0 in the smaller cluster.

    `rule` decides which classes are accused: "smaller" accuses every class, the clean ones too;
    "relative size" those whose smaller cluster holds less than `size` of the class; "silhouette"
    those that also fall apart clearly, with a mean silhouette above `separation`. The smaller
    cluster is the poison only while less than half of the class is: 10 % of all pictures, led to
    one of ten classes, are 53 % of that class, and the wrong cluster is accused, or none. The reduction
    is, as in the paper, to independent components ("ICA"); "PCA", which others use, keeps directions of
    large variance within clean classes, and finds them split as well.
    """

    dimensions: int = knob(10, low=2, high=50, step=1, help="dimensions the features are reduced to")
    reduction: str = knob("ICA", choices=("ICA", "PCA"), help="how they are reduced", paper="ICA", primary=True)
    rule: str = knob(
        "silhouette", choices=("smaller", "relative size", "silhouette"), help="which classes are accused", primary=True
    )
    size: float = knob(0.35, low=0.01, high=0.5, step=0.01, help="share of the class that a poisoned cluster is below")
    separation: float = knob(0.15, low=0.0, high=1.0, step=0.01, help="silhouette above which a class falls apart")

    #: It judges a training set by its given labels.
    suspects: ClassVar[str] = "training data"
    #: What its score is, for an axis.
    score: ClassVar[str] = "silhouette, above 0 in the smaller cluster"

    def run(
        self, model: nn.Module, suspects: ImageSet, *, clean: ImageSet | None = None, seed: int = 0
    ) -> Run[Detection]:
        """Scores (N,) of a training set with its given labels; `clean` is not needed.

        flagged: the smaller clusters of the accused classes; threshold 0. `report`: "features" (N, d),
        "cluster" (N,), 1 = the smaller one of its class (-1 where a class is too small to be cut),
        and by class (K,) "silhouette", "smaller" (its share of the class), "accused". Raises ValueError
        for weights that are not finite, classes that do not match, and a model without a last linear layer.
        """
        check_suspects("ActivationClustering", model, suspects)
        features = yield from activations(model, suspects)
        labels, classes = suspects.labels.cpu(), len(suspects.class_names)
        scores, cluster = torch.zeros(len(labels)), torch.full_like(labels, -1)
        silhouette, share = torch.full((classes,), math.nan), torch.full((classes,), math.nan)
        for label in range(classes):
            members = torch.nonzero(labels == label)[:, 0]
            found = self._cut(features[members], seed)
            if found is not None:
                scores[members], silhouette[label] = found
                cluster[members] = (scores[members] > 0).long()
                share[label] = (scores[members] > 0).float().mean()
            yield Progress("cluster", label + 1, classes, {"silhouette": silhouette[label].item()})
        accused = self._accused(silhouette, share)
        report: dict[str, Tensor | float] = {
            "features": features.float(), "cluster": cluster,
            "silhouette": silhouette, "smaller": share, "accused": accused,
        }  # fmt: skip
        return Detection(scores, (scores > 0) & accused[labels], 0.0, report)

    def _cut(self, features: Tensor, seed: int) -> tuple[Tensor, float] | None:
        """The scores (n,) of one class and its silhouette, or None where it cannot be cut in two."""
        if len(features) < FEWEST or (features == features[0]).all():
            return None
        # k-means draws its first centres by position: in an order of their own the images may come in any.
        order = features.sum(1).argsort()
        reduced = self._reduced(features[order], seed)
        means = KMeans(2, n_init=10, random_state=seed).fit(reduced)
        near = torch.from_numpy(means.transform(reduced))  # distances to both centres
        smaller = int(2 * (means.labels_ == 1).sum() < len(reduced))
        inside, outside = near[:, smaller], near[:, 1 - smaller]
        silhouette = float(silhouette_score(reduced, means.labels_))
        scores = torch.empty(len(reduced))
        scores[order] = (max(silhouette, 1e-6) * (outside - inside) / torch.maximum(inside, outside)).float()
        return scores, silhouette

    def _reduced(self, features: Tensor, seed: int) -> np.ndarray:
        """The features (n, d) in a few dimensions, no more than they span."""
        dimensions = min(self.dimensions, int(torch.linalg.matrix_rank(features - features.mean(0))))
        main = PCA(dimensions, svd_solver="full").fit_transform(features.numpy())
        if self.reduction == "PCA":
            return main
        with warnings.catch_warnings():  # components that have not quite converged serve as well
            warnings.simplefilter("ignore", ConvergenceWarning)
            return FastICA(whiten="unit-variance", random_state=seed, tol=1e-3).fit_transform(main)

    def _accused(self, silhouette: Tensor, share: Tensor) -> Tensor:
        """Which classes (K,) the rule holds for poisoned."""
        accused = ~share.isnan()
        if self.rule != "smaller":
            accused &= share < self.size
        if self.rule == "silhouette":
            accused &= silhouette > self.separation
        return accused
