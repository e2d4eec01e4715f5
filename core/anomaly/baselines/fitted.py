"""scikit-learn's detectors on the main components of the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from core.anomaly.shared.outlier_model import OutlierModel, check_pictures
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.runs import Progress, Run


class Fitted(OutlierModel):
    """A detector of scikit-learn, `detector`, on the components that `pca` finds; both are fitted."""

    def __init__(self, shape: tuple[int, ...], pca: PCA, detector: Any):
        super().__init__(shape)
        self.pca, self.detector = pca, detector

    def features(self, pixels: Tensor) -> np.ndarray:
        """Components (B, d) of pixels (B, C, H, W)."""
        return self.pca.transform(pixels.flatten(1).double().cpu().numpy())

    def strangeness(self, pixels: Tensor) -> Tensor:
        """Minus `score_samples` of an isolation forest, minus `decision_function` of a one-class SVM."""
        features = self.features(pixels)
        forest = hasattr(self.detector, "estimators_")
        found = self.detector.score_samples(features) if forest else self.detector.decision_function(features)
        return torch.from_numpy(-found).to(pixels)


@dataclass(frozen=True)
class IsolationForest(Method):
    """Liu, Ting and Zhou, "Isolation Forest", ICDM 2008: few random splits suffice to isolate what is unusual.

    scikit-learn's, on main components, since splits along single pixels say little. The score is
    2^(-E[h] / c(n)), h being the length of the path to a picture.
    """

    trees: int = knob(100, low=1, high=1000, step=10, primary=True, help="isolation trees")
    sample: int = knob(256, low=2, high=10_000, step=16, help="pictures that each tree is grown on")
    components: int = knob(32, low=1, high=512, step=1, help="main components of the pixels")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[OutlierModel]:
        """Fit to pictures of any shape, of which some may be outliers."""
        from sklearn.ensemble import IsolationForest as Forest

        forest = Forest(n_estimators=self.trees, max_samples=min(self.sample, len(train)), random_state=seed)
        return (yield from fitted("IsolationForest", train, forest, self.components, seed))


@dataclass(frozen=True)
class OneClassSVM(Method):
    """Schölkopf et al., 2001: a region in the space of an RBF kernel that leaves a share nu of the pictures outside.

    scikit-learn's, on main components, with gamma "scale". Its cost grows with the square of the pictures: from
    10,000 on, it is fitted to as many of them, drawn by the seed.
    """

    nu: float = knob(0.1, low=0.001, high=0.5, step=0.001, symbol="ν", primary=True, help="share left outside")
    components: int = knob(32, low=1, high=512, step=1, help="main components of the pixels")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[OutlierModel]:
        """Fit to pictures of any shape, of which some may be outliers."""
        from sklearn.svm import OneClassSVM as Svm

        svm = Svm(nu=self.nu, gamma="scale", tol=1e-6)
        return (yield from fitted("OneClassSVM", train, svm, self.components, seed))


MOST = 10_000
"""Pictures that a detector of scikit-learn is fitted to."""


def fitted(method: str, train: ImageSet, detector: Any, components: int, seed: int) -> Run[OutlierModel]:
    """`detector`, fitted to at most `components` main components of the pixels of at most MOST pictures."""
    check_pictures(method, train)
    yield Progress("fit", 1, 2)
    some = train.sample(MOST, seed) if len(train) > MOST else train
    pixels = some.pixels.flatten(1).double().cpu().numpy()
    pca = PCA(min(components, *pixels.shape), random_state=seed).fit(pixels)
    model = Fitted(tuple(train.images.shape[1:]), pca, detector.fit(pca.transform(pixels)))
    model.calibrate(train.images)
    yield Progress("fit", 2, 2, model=model)
    return model
