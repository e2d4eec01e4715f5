from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.knobs import knob
from core.triggers.shared.trigger import Trigger


@dataclass(frozen=True)
class Blended(Trigger):
    """A key picture blended over the whole image.

    Chen et al., "Targeted Backdoor Attacks ... Using Data Poisoning", 2017 (arXiv 1712.05526):
    x' = (1 - alpha) x + alpha k. The key k is coloured noise of `cells` x `cells` patches drawn
    from `key`, so that it is free of anyone's rights and fits any image size.
    """

    alpha: float = knob(
        0.2, low=0.0, high=1.0, step=0.05, symbol="α", help="weight of the key picture", paper=0.2, primary=True
    )
    cells: int = knob(8, low=2, high=32, step=1, help="patches across the key picture", primary=True)
    key: int = knob(0, low=0, high=9999, step=1, symbol="k", help="seed of the key picture")

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        return torch.lerp(images, self.picture(images).expand_as(images), self.alpha)

    def picture(self, images: Tensor) -> Tensor:
        """The key (1, C, H, W) in [0, 1] at the size, device and type of `images`."""
        channels, height, width = images.shape[-3:]
        generator = torch.Generator().manual_seed(self.key)
        coarse = torch.rand(1, channels, self.cells, self.cells, generator=generator)
        return F.interpolate(coarse, size=(height, width), mode="nearest").to(images)
