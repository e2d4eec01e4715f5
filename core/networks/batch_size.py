"""How many images a network takes at once, where the results do not depend on it: in scoring and in attacks.

A CPU gains nothing by more than the caller's usual number. A GPU is given as many as fit into a share of its memory,
by what a few images were measured to take: small GPUs do not run out of memory again and again, large ones
are not kept waiting. The share is one of the whole memory, not of what happens to be free, since the last digits of a
result follow the batch size: so the same machine gives the same result. Where that is too many after all, the batch
is halved (`core.device.in_batches`, `core.attacks.shared.chunks`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.device import device_of, dtype_of
from core.networks.findings import PerModel
from core.networks.layout import laid_out
from core.networks.model_state import frozen

FEW = 8
"""Images of the trial pass; so many or fewer are not worth one."""
MOST = 1024
"""Images at once: with more of them no GPU is faster."""
SHARE = 0.25
"""Of the GPU's memory, for one batch: models, data and a second network that judges need room as well."""


def batch_size(model: nn.Module, images: Tensor, usual: int, *, gradients: bool = False) -> int:
    """How many of the images (N, C, H, W) `model` takes at once.

    usual : on anything but a CUDA device
    gradients : whether the gradient with respect to the images is asked for, which takes much more memory
    """
    device = device_of(model)
    if device.type != "cuda":
        return usual
    if len(images) <= FEW:
        return FEW
    cost = (_with_gradients if gradients else _without)(model, images)
    return fitting(cost, torch.cuda.get_device_properties(device).total_memory)


def fitting(cost: float, memory: int) -> int:
    """The largest power of two of images, each of `cost` bytes, for this memory in bytes: 1 to MOST."""
    room = int(SHARE * memory / max(cost, 1.0))
    return min(MOST, 2 ** max(0, room.bit_length() - 1))


def _cost(model: nn.Module, images: Tensor, gradients: bool) -> float:
    """Bytes that one image takes at the peak of a pass over FEW black images in eval mode.

    Infinite where the pass fails: for lack of memory, or of a cause that shows again where the model is used.
    """
    device = device_of(model)
    black = torch.zeros((FEW, *images.shape[1:]), device=device, dtype=dtype_of(model))
    x = laid_out(model, black).requires_grad_(gradients)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    try:
        with frozen(model), torch.set_grad_enabled(gradients), torch.random.fork_rng(devices=[device]):
            logits = model(x)
            if gradients and logits.requires_grad:
                torch.autograd.grad(logits.sum(), x)
    except Exception:
        return float("inf")
    return (torch.cuda.max_memory_allocated(device) - before) / FEW


_without = PerModel(lambda model, images: _cost(model, images, False))
_with_gradients = PerModel(lambda model, images: _cost(model, images, True))
