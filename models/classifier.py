"""A network together with what makes its numbers mean something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Card:
    """Where a model comes from and what was done to it.

    ref : what `models.load` was given ("zoo:scenes-clean", "hf:owner/name@<commit>", a folder)
    origin : "shipped with the lab", "Hugging Face Hub" or "local folder"
    sha : the Hub commit, else the SHA-256 of the weights file
    data : the data set it was trained on, as `load_data` takes it, or "" where nobody said
    done : plain words: how it was trained, and whether it was backdoored on purpose
    scores : data name -> {"acc", "asr", "ra", "n", "n_asr"} as measured when it was made
    """

    ref: str
    origin: str
    licence: str = "unknown"
    sha: str = ""
    data: str = ""
    done: str = ""
    architecture: str = ""
    parameters: int = 0
    num_classes: int = 0
    backdoored: bool = False
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)


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
