"""What a network answers: logits of any number of images, in the layout and the batches that suit it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.device import in_batches
from core.networks.batch_size import batch_size
from core.networks.layout import as_input
from core.networks.model_state import frozen


def predict(model: nn.Module, images: Tensor, size: int = 500) -> Tensor:
    """Logits (N, K) of images (N, C, H, W), float in [0, 1] or uint8, in eval mode without gradients.

    size : images at once on a CPU; a GPU takes as many as it has memory for
    """

    @torch.inference_mode()
    def forward(batch: Tensor) -> Tensor:
        return model(as_input(model, batch)).float()

    with frozen(model):
        return in_batches(forward, images, size=batch_size(model, images, size)).clone()
