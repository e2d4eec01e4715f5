from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from core.knobs import knob
from core.triggers.shared.trigger import Trigger
from core.triggers.shared.warp import warp


@dataclass(frozen=True)
class WaNet(Trigger):
    """One smooth elastic warp of the whole picture.

    Nguyen, Tran, "WaNet - Imperceptible Warping-based Backdoor Attack", ICLR 2021 (arXiv
    2102.10369): a k x k field of uniform displacements, divided by its mean absolute value, is
    upsampled bicubically and scaled by s / H. In training, `cross` times as many pictures get the
    warp plus noise and keep their true label, which teaches the net that only this warp counts.
    """

    strength: float = knob(
        0.5, low=0.0, high=4.0, step=0.25, symbol="s", help="size of the warp", paper=0.5, primary=True
    )
    grid: int = knob(
        4, low=2, high=16, step=1, symbol="k", help="control points across the picture", paper=4, primary=True
    )
    cross: float = knob(2.0, low=0.0, high=4.0, step=0.5, help="noise-warped pictures per poisoned one", paper=2.0)
    key: int = knob(0, low=0, high=9999, step=1, help="seed of the warp")

    controls_training: ClassVar[bool] = True

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        return warp(images, self.field(*images.shape[-2:]))

    def field(self, height: int, width: int) -> Tensor:
        """The displacements (1, H, W, 2) in normalised coordinates."""
        generator = torch.Generator().manual_seed(self.key)
        control = 2 * torch.rand(1, 2, self.grid, self.grid, generator=generator) - 1
        control = control / control.abs().mean()
        smooth = F.interpolate(control, size=(height, width), mode="bicubic", align_corners=True)
        return smooth.permute(0, 2, 3, 1) * self.strength / height

    def crossed(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The images (N, C, H, W) warped with noise of their own, which must not activate the backdoor."""
        n, _, height, width = images.shape
        return warp(images, self.field(height, width) + self._jitter(n, height, width, generator))

    @staticmethod
    def _jitter(n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        return (2 * torch.rand(n, height, width, 2, generator=generator) - 1) / height

    def poison(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """The first images of the (shuffled) batch are warped and relabelled, the next ones warped
        with noise and left with their label."""
        n, _, height, width = images.shape
        attacked = round(rate * n)
        noisy = min(round(self.cross * attacked), n - attacked)
        field = self.field(height, width)
        jittered = field + self._jitter(noisy, height, width, generator)
        fields = torch.cat((field.expand(attacked, -1, -1, -1), jittered))
        warped = warp(images[: attacked + noisy], fields)
        return (
            torch.cat((warped, images[attacked + noisy :])),
            torch.cat((wanted[:attacked], labels[attacked:])),
        )
