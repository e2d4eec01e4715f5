"""Maps that look at no network: what any measure of heatmaps has to be held against."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.checked import asked
from core.knobs import Method, knob


@dataclass(frozen=True)
class RandomMap(Method):
    """Independent uniform noise: its order of pixels is the control of deletion and insertion."""

    seed: int = knob(0, low=0, high=2**31 - 1, step=1, help="draws the noise; every picture has its own")

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W)."""
        images, _ = asked(model, images, targets)
        generator = torch.Generator().manual_seed(self.seed)
        return torch.rand(len(images), *images.shape[2:], generator=generator).to(images)


@dataclass(frozen=True)
class EdgeMap(Method):
    """Edges of the picture, |d/dy| + |d/dx| summed over the colours: it resembles an explanation, and is none.

    The control of cascading randomisation (Adebayo et al., NeurIPS 2018, https://arxiv.org/abs/1810.03292).
    """

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W)."""
        images, _ = asked(model, images, targets)
        maps = images.new_zeros(len(images), *images.shape[2:])
        maps[:, 1:] += images.diff(dim=2).abs().sum(1)
        maps[:, :, 1:] += images.diff(dim=3).abs().sum(1)
        return maps


@dataclass(frozen=True)
class CentreMap(Method):
    """A Gaussian at the centre, a quarter of the side wide: the control of the pointing games, since objects often
    stand in the middle."""

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W)."""
        images, _ = asked(model, images, targets)
        rows, columns = (
            torch.exp(-0.5 * ((torch.arange(side, device=images.device) - (side - 1) / 2) / (side / 4)) ** 2)
            for side in images.shape[2:]
        )
        return torch.outer(rows, columns).to(images).expand(len(images), -1, -1)


CONTROLS = [RandomMap, EdgeMap, CentreMap]
