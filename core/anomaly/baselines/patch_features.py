"""Features of a trained network at each place of a picture: what PaDiM and PatchCore look at."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.anomaly.shared.outlier_model import OutlierModel
from core.data.imageset import ImageSet
from core.networks.feature_maps import feature_maps, watching
from core.networks.layout import as_input

STAGES = 3


class PatchFeatures(nn.Module):
    """The maps of a network's last three stages on one grid, the finest of theirs, one after the other.

    Tokens and maps alike are taken as square. The network is copied: it is hooked, and may be shared.
    """

    def __init__(self, backbone: nn.Module, example: Tensor):
        super().__init__()
        self.backbone = copy.deepcopy(backbone).eval().requires_grad_(False)
        self.size: tuple[int, int, int] | None = getattr(backbone, "input_size", None)
        self.stages = feature_maps(self.backbone, self.fit(example[:1]), STAGES)

    def fit(self, pixels: Tensor) -> Tensor:
        """Pixels (B, C, H, W) as the network takes them: three channels, its own width."""
        pixels = pixels.expand(-1, 3, -1, -1) if pixels.shape[1] == 1 else pixels
        if self.size is None or tuple(pixels.shape[-2:]) == tuple(self.size[-2:]):
            return pixels.contiguous()
        return F.interpolate(pixels, tuple(self.size[-2:]), mode="bilinear", antialias=True)

    def forward(self, pixels: Tensor) -> Tensor:
        """Features (B, h, w, q)."""
        with watching(self.backbone, self.stages) as (_, maps):
            self.backbone(as_input(self.backbone, self.fit(pixels)))
        grids = [_square(maps[name]).float() for name in self.stages]
        finest = max(grid.shape[-1] for grid in grids)
        up = [F.interpolate(grid, (finest, finest), mode="bilinear", align_corners=False) for grid in grids]
        return torch.cat(up, 1).permute(0, 2, 3, 1)


def _square(positions: Tensor) -> Tensor:
    """(N, C, positions) as (N, C, s, s): a class token before the patches is left out."""
    side = int(positions.shape[2] ** 0.5)
    return positions[:, :, -side * side :].unflatten(2, (side, side))


class PatchModel(OutlierModel):
    """How unusual each place of a picture is; the picture is as strange as its strangest place."""

    def __init__(self, shape: tuple[int, ...], features: PatchFeatures):
        super().__init__(shape)
        self.features = features

    def places(self, pixels: Tensor) -> Tensor:
        """How unusual each place of pixels (B, C, H, W) is, (B, h, w)."""
        return self.distances(self.features(pixels))

    def distances(self, features: Tensor) -> Tensor:
        """How unusual features (B, h, w, q) are at each place, (B, h, w)."""
        raise NotImplementedError

    def maps(self, images: Tensor) -> Tensor:
        """(N, H, W): how unusual each pixel's surroundings are, smoothed."""
        return self.measured(self._map, images)

    def _map(self, pixels: Tensor) -> Tensor:
        fine = F.interpolate(self.places(pixels)[:, None], self.shape[-2:], mode="bilinear", align_corners=False)
        return blurred(fine)[:, 0]


def blurred(maps: Tensor, share: float = 1 / 56) -> Tensor:
    """Maps (N, 1, H, W) under a Gaussian whose deviation is `share` of the width: 4 pixels of 224, as is usual."""
    sigma = max(0.3, share * maps.shape[-1])
    reach = min(max(1, round(3 * sigma)), min(maps.shape[-2:]) - 1)
    x = torch.arange(-reach, reach + 1, device=maps.device, dtype=maps.dtype)
    kernel = torch.softmax(-x.square() / (2 * sigma**2), 0)
    maps = F.conv2d(F.pad(maps, (reach, reach, 0, 0), mode="reflect"), kernel.view(1, 1, 1, -1))
    return F.conv2d(F.pad(maps, (0, 0, reach, reach), mode="reflect"), kernel.view(1, 1, -1, 1))


def require_backbone(method: str, backbone: nn.Module | None) -> nn.Module:
    """The network whose features are looked at; ValueError where there is none."""
    if backbone is None:
        raise ValueError(f"{method} looks at the features of a trained network: give it one as backbone=...")
    return backbone


def all_features(model: PatchModel, train: ImageSet) -> Tensor:
    """Features (N, h, w, q) of all training pictures."""
    return model.measured(model.features, train.images)
