from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from core.knobs import knob
from core.triggers.shared.trigger import Trigger


@dataclass(frozen=True)
class SIG(Trigger):
    """A sinusoid across the columns, meant for poisoning without changing labels.

    Barni, Kallas, Tondi, "A New Backdoor Attack in CNNs by Training Set Corruption Without Label
    Poisoning", 2019 (arXiv 1902.11237): v[j] = delta sin(2 pi j f / W), x' = clip(x + v).
    """

    delta: float = knob(
        40 / 255, low=0.0, high=1.0, step=5 / 255, symbol="Δ", help="amplitude", paper=40 / 255, primary=True
    )
    frequency: int = knob(6, low=1, high=16, step=1, symbol="f", help="waves across the picture", paper=6, primary=True)

    paper_clean_label: ClassVar[bool] = True

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        width = images.shape[-1]
        column = torch.arange(width, device=images.device, dtype=images.dtype)
        wave = self.delta * torch.sin(2 * math.pi * self.frequency * column / width)
        return (images + wave).clamp(0, 1)
