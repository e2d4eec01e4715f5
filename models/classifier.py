"""A network together with what makes its numbers mean something."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.card import Card


class Classifier(nn.Module):
    """Images (N, C, H, W), float in [0, 1] -> logits (N, K); normalisation is inside.

    `trigger`, `target` and `mode` say how it was backdoored on purpose; None on a clean model.
    `report` holds what a method found out about the model and is not part of its state dict.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        net: nn.Module,
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        class_names: tuple[str, ...],
        input_size: tuple[int, int, int],
        card: Card,
        trigger: Any = None,
        target: int | None = None,
        mode: str | None = None,
    ):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))
        self.class_names = class_names
        self.input_size = input_size
        self.card = card
        self.trigger = trigger
        self.target = target
        self.mode = mode
        self.report: dict[str, Any] = {}

    def forward(self, images: Tensor) -> Tensor:
        return self.net((images - self.mean) / self.std)
