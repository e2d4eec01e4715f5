"""What a network answers: logits of any number of images, in the layout and the batches that suit it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.device import device_of, in_batches
from core.networks.model_state import frozen


def predict(model: nn.Module, images: Tensor, size: int = 500) -> Tensor:
    """Logits (N, K) of images (N, C, H, W), float in [0, 1] or uint8, in eval mode without gradients."""
    device = device_of(model)

    @torch.inference_mode()
    def forward(batch: Tensor) -> Tensor:
        batch = batch.to(device)
        if batch.dtype == torch.uint8:
            batch = batch.float().div_(255)
        return model(batch.contiguous(memory_format=torch.channels_last)).float()

    with frozen(model):
        return in_batches(forward, images, size=size).clone()


def as_input(batch: Tensor, device: torch.device) -> Tensor:
    """Pictures as a model takes them: float in [0, 1], on its device, channels last."""
    batch = batch.to(device)
    batch = batch.float().div_(255) if batch.dtype == torch.uint8 else batch
    return batch.contiguous(memory_format=torch.channels_last)
