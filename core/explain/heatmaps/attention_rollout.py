"""Attention rollout: which patches a transformer's answer attends to, through all of its blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.device import in_batches
from core.explain.heatmaps.cam import enlarged
from core.explain.heatmaps.checked import asked
from core.knobs import Method
from core.networks.model_state import frozen


@dataclass(frozen=True)
class AttentionRollout(Method):
    """Attention rollout (Abnar and Zuidema, ACL 2020, https://arxiv.org/abs/2005.00928).

    A_l: the mean attention of block l over its heads; the product of (A_l + I) / 2 over the blocks, in the row of the
    class token, or the mean row where the answer is read from all patches. A share of attention in [0, 1], positive
    everywhere and the same for every class: it shows what is mixed in, not what speaks for the class.

    Raises ValueError where the model is no vision transformer of timm's whose tokens all attend to each other.
    """

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W) in [0, 1]; the classes are checked and change nothing."""
        images, _ = asked(model, images, targets)
        if not _attentions(model):
            raise ValueError("Attention rollout needs the attention of a vision transformer, and this model has none.")
        return enlarged(in_batches(lambda x: _rollout(model, x), images, size=64), images.shape[2:])


@torch.no_grad()
def _rollout(model: nn.Module, images: Tensor) -> Tensor:
    """(N, h, w)."""
    with frozen(model), _recorded(model) as layers:
        model(images)
    tokens = layers[0].shape[-1]
    side = math.isqrt(tokens)
    if any(len(one) != len(images) or one.shape[-1] != tokens for one in layers) or side < 2:
        raise ValueError("Attention rollout needs tokens that all attend to each other; here they attend in windows.")
    rolled = torch.eye(tokens, device=images.device, dtype=images.dtype)
    for one in layers:
        rolled = (one.mean(1) + torch.eye(tokens).to(rolled)) / 2 @ rolled
    row = rolled.mean(1) if tokens == side * side or _reads_all(model) else rolled[:, 0]
    return row[:, tokens - side * side :].unflatten(1, (side, side))


def _reads_all(model: nn.Module) -> bool:
    return any(getattr(module, "global_pool", "token") == "avg" for module in model.modules())


def _attentions(model: nn.Module) -> list[Any]:
    """Modules that can show their attention: `fused_attn` off, softmax(q k) goes through `attn_drop`."""
    return [
        module for module in model.modules()
        if hasattr(module, "fused_attn") and isinstance(getattr(module, "attn_drop", None), nn.Module)
    ]  # fmt: skip


@contextmanager
def _recorded(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collect each block's attention (N, heads, T, T) of the calls made inside; nothing stays changed."""
    layers: list[Tensor] = []
    blocks = _attentions(model)
    fused = [block.fused_attn for block in blocks]
    hooks = [
        block.attn_drop.register_forward_hook(lambda module, given, value: layers.append(given[0])) for block in blocks
    ]
    try:
        for block in blocks:
            block.fused_attn = False
        yield layers
    finally:
        for block, was in zip(blocks, fused, strict=True):
            block.fused_attn = was
        for hook in hooks:
            hook.remove()
