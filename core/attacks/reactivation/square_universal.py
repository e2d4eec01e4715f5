"""Square Attack made universal: one perturbation for all pictures, found by asking for scores only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.shared.preview import magnified
from core.attacks.shared.squares import share_of_pixels, side_of, signs, stripes
from core.attacks.shared.universal_delta import Loss, added
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

ENOUGH = 0.99
"""The search ends when more than this share of its images says t."""


@dataclass(frozen=True)
class Searched:
    """delta (C, H, W), the queries spent on it, and the losses after each accepted move (summed over images)."""

    delta: Tensor
    queries: int
    losses: list[float]


def square_delta(
    model: nn.Module,
    images: Tensor,
    loss: Loss,
    *,
    eps: float,
    iterations: int,
    p: float,
    target: int,
    seed: int = 0,
    stage: str = "square",
) -> Run[Searched]:
    """delta in {-eps, +eps} that lowers the sum of `loss(f(clip(x + delta, 0, 1)))` over all images.

    Square Attack (Andriushchenko et al., ECCV 2020, https://arxiv.org/abs/1912.00049) with one delta
    for the whole batch: in iteration i a square of round(sqrt(p_i H W)) pixels (1 to H - 1) at a
    random place takes +eps or -eps in each channel, and is kept if the loss falls. It ends early when
    more than 99 % of the images say t.

    images : (N, C, H, W) in [0, 1]; one query asks the model about all N of them
    """
    generator = torch.Generator().manual_seed(seed)
    channels, height, width = images.shape[1:]
    delta = stripes((channels, height, width), eps, generator).to(images)
    best, reached = _asked(model, images, delta, loss, target)
    losses, queries = [best], 1
    for iteration in range(iterations):
        side = min(max(1, height - 1), side_of(share_of_pixels(p, iteration, iterations), height, width))
        tried = delta.clone()
        top = int(torch.randint(height - side + 1, (), generator=generator))
        left = int(torch.randint(max(1, width - side + 1), (), generator=generator))
        tried[:, top : top + side, left : left + side] = eps * signs((channels, 1, 1), generator).to(delta)
        if reached <= ENOUGH:
            value, now = _asked(model, images, tried, loss, target)
            queries += 1
            if value < best:
                delta, best, reached = tried, value, now
                losses.append(value)
        told = {"loss": best / len(images), "reached": reached, "queries": float(queries)}
        yield Progress(stage, iteration + 1, iterations, told, {"delta": magnified(delta)[0].cpu()})
        if reached > ENOUGH:
            break
    return Searched(delta, queries, losses)


def _asked(model: nn.Module, images: Tensor, delta: Tensor, loss: Loss, target: int) -> tuple[float, float]:
    """One query: the summed loss, and the share of the images that say t."""
    logits = require_finite(predict(model, added(images, delta)))
    return loss(logits).sum().item(), (logits.argmax(1) == target).float().mean().item()
