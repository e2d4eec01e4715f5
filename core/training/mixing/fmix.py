"""FMix: two pictures joined along the coastline of a random landscape."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.knobs import knob
from core.training.mixing.low_frequency_masks import OFFICIAL, PAPER, grey_images, official_grey_images, thresholded
from core.training.mixing.mixer import Mixer, seed_from


@dataclass(frozen=True)
class FMix(Mixer):
    """FMix (Harris, Marcu, Painter, Niranjan, Prügel-Bennett, Hare, 2020, arXiv 2002.12047): `Standard(mix=FMix())`.

    1. A random grey image whose Fourier amplitudes fall off as 1 / f^decay. 2. The mask is 1 at its lam H W brightest
    pixels, rounded up or down by a fair coin, and 0 elsewhere. The label's weight is lam itself.

    The authors' released sampler does something else than their text (core/training/mixing/low_frequency_masks.py):
    its masks vary across the width with at most one period. mode = "official-code" samples as it does; the published
    accuracies were very probably obtained so, as its line has not changed since the first commit.

    soft : share of the pixels that lie, on each side of the cut, on a ramp from 1 to 0 by their rank; at most
        min(lam, 1 - lam)
    """

    decay: float = knob(
        3.0, low=0.0, high=8.0, step=0.25, symbol="δ", paper=3.0, primary=True,
        help="how fast the amplitudes of the grey image fall with frequency: larger is smoother",
    )  # fmt: skip
    mode: str = knob(PAPER, choices=(PAPER, OFFICIAL), help="the paper's text, or the released sampler")
    soft: float = knob(0.0, low=0.0, high=0.5, step=0.05, paper=0.0, help="half the soft edge, in pixels of all")

    def masks(
        self, lam: Tensor, size: tuple[int, int], device: torch.device, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Masks are drawn on the device, by a generator of its own that `generator` seeds where it is not the CPU."""
        coin = torch.rand(lam.shape, generator=generator) < 0.5
        drawing = generator if device.type == "cpu" else torch.Generator(device).manual_seed(seed_from(generator))
        grey = grey_images if self.mode == PAPER else official_grey_images
        made = grey(len(lam), size, self.decay, device, drawing)
        return thresholded(made, lam.to(device), coin.to(device), self.soft), lam
