"""Adversarial pictures for a training: a bare ascent, as fast as the network is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import autocast, device_of
from core.networks.layout import laid_out
from core.networks.model_state import frozen, train_mode
from core.optim.gradients import fit_of

MODES = ("eval", "train")
"""The network's mode while pictures are crafted: with running statistics, or with those of the batch."""

Ascended = Callable[..., Tensor]
"""Logits (N, K) and what else belongs to the pictures, such as their labels (N,) -> a loss that the attack raises."""


class TrainingAttack(Protocol):
    """What a training needs of an attack: where it starts, how it steps, and how often. `PGD` is one.

    eps : radius of the ball; 0 changes nothing
    """

    @property
    def eps(self) -> float: ...

    @property
    def steps(self) -> int: ...

    def start(self, x: Tensor) -> Tensor:
        """x_0 for the pictures x (N, C, H, W) in [0, 1], drawn by PyTorch's own random numbers."""
        ...

    def step(self, now: Tensor, slope: Tensor, x: Tensor) -> Tensor:
        """x_t from x_{t-1} = `now` and the gradient there."""
        ...


def cross_entropy_sum(logits: Tensor, labels: Tensor) -> Tensor:
    """The summed cross-entropy: of a sum, each picture's gradient does not depend on the others' number."""
    return F.cross_entropy(logits.float(), labels, reduction="sum")


def crafted(
    model: nn.Module,
    attack: TrainingAttack,
    images: Tensor,
    *others: Tensor,
    loss: Ascended = cross_entropy_sum,
    mode: str = "eval",
    start: Tensor | None = None,
) -> Tensor:
    """The pictures (N, C, H, W) after all steps of the attack; each takes them all, and the last iterate counts.

    others : what `loss` is given beside the logits, with the batch first: the labels
    mode : of the network meanwhile. In "train" its running statistics move, as in the code of Rice et al. (2020)
    start : x_0, where it is not the attack's own

    Runs under autocast where that pays, without gradients of the weights, and in parts where memory asks for them.
    The network's mode and flags are put back. Nothing is looked at on the way, so a GPU is never waited for.
    """
    if attack.eps == 0:
        return images
    fit, first = fit_of(model, images), attack.start(images) if start is None else start

    def ascend(x: Tensor, now: Tensor, *about: Tensor) -> Tensor:
        for _ in range(attack.steps):
            now = attack.step(now, slope(model, now, lambda logits: loss(logits, *about)), x)
        return now

    while True:
        pieces = zip(*(tensor.tensor_split(fit.parts(len(images))) for tensor in (images, first, *others)), strict=True)
        try:
            with while_crafting(model, mode):
                return torch.cat([ascend(*piece) for piece in pieces])
        except RuntimeError as error:
            fit.halve(len(images), error)


@contextmanager
def while_crafting(model: nn.Module, mode: str) -> Iterator[None]:
    """The network without gradients of its weights and in the mode of MODES that pictures are crafted in."""
    with frozen(model):
        if mode == "train":
            train_mode(model)
        yield


def slope(model: nn.Module, images: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradient of `loss(model(images))` by the images, under autocast where that pays."""
    x = laid_out(model, images).detach().requires_grad_(True)
    with torch.enable_grad():
        with autocast(device_of(model)):
            logits = model(x)
        if not logits.requires_grad:
            raise ValueError("The model gives no gradient to its input, so it cannot be trained on attacked pictures.")
        (found,) = torch.autograd.grad(loss(logits), x)
    return found
