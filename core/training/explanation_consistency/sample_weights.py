"""What each training picture counts for, by which rule, and how the weights are brought to mean 1."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.data.imageset import ImageSet
from core.explain.consistency.consistency import Consistencies, Consistency
from core.networks.predictions import predict
from core.runs import Progress, Run

SLICE = 500
INCONSISTENT, PLAIN, REVERSED, PERMUTED, LOSS, CONFIDENCE, NOISE = RULES = (
    "1 - E", "1", "E", "permuted", "loss", "confidence", "noise",
)  # fmt: skip
"""v by the method, and the controls that say what a gain of it comes from:

"1 - E" : the paper's
"1" : plain training
"E" : reversed, whether the direction matters
"permuted" : 1 - E of other pictures, whether it is more than noise on the weights
"loss" : the loss over the largest of all, whether it is more than training on what is hard
"confidence" : 1 - p_y, likewise
"noise" : 1 - E with random noise in the place of the attack, whether that is needed
"""


@dataclass(frozen=True)
class Measured:
    """v (N,) of all training pictures, float64 on the CPU, and E where it was asked for."""

    v: Tensor
    found: Consistencies | None = None


def measured(rule: str, model: nn.Module, data: ImageSet, consistency: Consistency, seed: int) -> Run[Measured]:
    """v by a rule of RULES, on pictures as they are, neither mirrored nor shifted, in eval mode."""
    if rule == PLAIN:
        return Measured(torch.ones(len(data), dtype=torch.float64))
    if rule == LOSS:
        losses = yield from _logits(model, data, lambda z, y: F.cross_entropy(z, y, reduction="none"))
        return Measured(losses / losses.max().clamp_min(1e-12))
    if rule == CONFIDENCE:
        return Measured((yield from _logits(model, data, lambda z, y: 1 - z.softmax(1).gather(1, y[:, None])[:, 0])))
    if rule == NOISE:
        assert isinstance(consistency.attack, PGD)
        noise = dataclasses.replace(consistency.attack, steps=1, alpha=0.0, random_start=True)
        consistency = dataclasses.replace(consistency, attack=noise)
    found = yield from consistency.run(model, data, seed=seed)
    v = 1 - found.consistency
    if rule == REVERSED:
        v = found.consistency
    elif rule == PERMUTED:
        v = v[torch.randperm(len(v), generator=torch.Generator().manual_seed(seed))]
    return Measured(v, found)


def _logits(model: nn.Module, data: ImageSet, number: Callable[[Tensor, Tensor], Tensor]) -> Run[Tensor]:
    """A number (N,) of each picture's logits and label."""
    parts = []
    for start in range(0, len(data), SLICE):
        part = data[start : start + SLICE]
        parts.append(number(predict(model, part.images).double(), part.labels).cpu())
        yield Progress("explain", start + 1, len(data))
    return torch.cat(parts)


def mean_one(v: Tensor, floor: float) -> Tensor:
    """v' (N,), float32: max(v, floor), divided by its mean; all 1 where that is 0.

    Without the division the learning rate would die as E goes to 1. The mean is formed in float64, as that of float32
    weights that are all the same is not exactly they.
    """
    raised = v.double().clamp_min(floor)
    mean = raised.mean()
    return (raised / mean if mean > 0 else torch.ones_like(raised)).float()
