"""PaDiM: a normal distribution of a network's features at each place of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from core.anomaly.baselines.patch_features import PatchFeatures, PatchModel, all_features, require_backbone
from core.anomaly.shared.outlier_model import check_pictures
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.runs import Progress, Run


class Gaussians(PatchModel):
    """Mean (P, q) and inverse covariance (P, q, q) at each of P = h w places; a place's value is its Mahalanobis
    distance."""

    mean: Tensor
    precision: Tensor
    chosen: Tensor

    def fit(self, features: Tensor, regularisation: float) -> None:
        """From features (N, h, w, q); fewer pictures than q still give a positive definite covariance."""
        flat = features.flatten(1, 2).transpose(0, 1)  # (P, N, q)
        mean = flat.mean(1, keepdim=True)
        centred = flat - mean
        covariance = centred.transpose(1, 2) @ centred / max(1, flat.shape[1] - 1)
        eye = torch.eye(flat.shape[2], device=flat.device)
        self.register_buffer("mean", mean[:, 0])
        self.register_buffer("precision", torch.linalg.inv(covariance + regularisation * eye))

    def distances(self, features: Tensor) -> Tensor:
        off = features.flatten(1, 2) - self.mean
        squared = torch.einsum("bpq,pqr,bpr->bp", off, self.precision, off)
        return squared.clamp_min(0).sqrt().unflatten(1, features.shape[1:3])

    def strangeness(self, pixels: Tensor) -> Tensor:
        return self._map(pixels).flatten(1).amax(1)


class Chosen(PatchFeatures):
    """Some of a network's channels, drawn at random once."""

    def __init__(self, backbone: nn.Module, example: Tensor, most: int, seed: int):
        super().__init__(backbone, example)
        q = super().forward(example[:1]).shape[-1]
        self.channels = torch.randperm(q, generator=torch.Generator().manual_seed(seed))[:most].sort().values

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels)[..., self.channels]


@dataclass(frozen=True)
class PaDiM(Method):
    """Defard et al., 2020 (arXiv 2011.08785): mean and covariance of a trained network's features at each place, over
    the training pictures; a picture is as strange as its largest Mahalanobis distance.

    Features are those of the last three stages, `channels` of them, drawn at random. What is shown must always lie at
    the same place. No gradient step is made, so outliers among the training pictures only widen the covariance.
    """

    BACKBONE: ClassVar[bool] = True
    """It asks for a trained network."""
    channels: int = knob(48, low=1, high=550, step=4, paper=100, primary=True, symbol="q", help="of the features")
    regularisation: float = knob(0.01, low=1e-6, high=1.0, paper=0.01, symbol="ε", help="added to each variance")

    def run(self, train: ImageSet, *, seed: int = 0, backbone: nn.Module | None = None) -> Run[Gaussians]:
        """Fit to pictures of any shape, of which some may be outliers, on the features of `backbone`, which takes
        images in [0, 1]; pictures are resized to its `input_size`, where it says one. It is not changed.
        """
        check_pictures("PaDiM", train)
        net = require_backbone("PaDiM", backbone)
        yield Progress("features", 1, 2)
        with torch.no_grad():
            features = Chosen(net, train[:1].pixels, self.channels, seed)
        model = Gaussians(tuple(train.images.shape[1:]), features)
        model.fit(all_features(model, train), self.regularisation)
        model.calibrate(train.images)
        yield Progress("features", 2, 2, model=model)
        return model
