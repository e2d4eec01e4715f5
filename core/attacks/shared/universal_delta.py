"""One perturbation for all pictures by gradient steps: the ball it is sought in, its gradient, and the loop for one
network or an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.shared.preview import magnified
from core.attacks.shared.problem import gradient
from core.device import autocast, dtype_of
from core.networks.checks import require_finite
from core.optim.gradients import fit_of, mean_in_parts
from core.runs import Progress, Run

OPTIMISERS = ("sign", "sgd", "momentum")
ENSEMBLES = ("avg", "step")

Loss = Callable[[Tensor], Tensor]
"""Logits (N, K) -> what is to fall, (N,)."""


@dataclass(frozen=True)
class Ball:
    """How a universal perturbation is sought in ||delta||_p <= eps, p = "linf" or "l2".

    sign : v <- m v + g / mean abs(g), delta <- delta - alpha eps sign(v); m = 0.9. In L2 v / ||v||_2 takes the place of
        sign(v)
    sgd : delta <- delta - lr g, on the raw gradient
    momentum : v <- m v + g / ||g||_2, delta <- delta - lr v

    g is the gradient of the batch's mean loss; delta is put back into the ball after every step.
    """

    eps: float
    steps: int
    optimiser: str = "sign"
    alpha: float = 0.2
    lr: float = 0.05
    momentum: float = 0.9
    norm: str = "linf"

    def step(self, delta: Tensor, velocity: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
        """The next delta and velocity."""
        if self.optimiser == "sgd":
            return self.inside(delta - self.lr * slope), velocity
        size = slope.abs().mean() if self.optimiser == "sign" else slope.norm()
        velocity = self.momentum * velocity + slope / size.clamp_min(1e-12)
        if self.optimiser == "momentum":
            return self.inside(delta - self.lr * velocity), velocity
        way = velocity.sign() if self.norm == "linf" else velocity / velocity.norm().clamp_min(1e-12)
        return self.inside(delta - self.alpha * self.eps * way), velocity

    def inside(self, delta: Tensor) -> Tensor:
        """The nearest point of the ball."""
        if self.norm == "linf":
            return delta.clamp(-self.eps, self.eps)
        return delta * (self.eps / delta.norm().clamp_min(1e-12)).clamp_max(1)


def added(images: Tensor, delta: Tensor) -> Tensor:
    """clip(x + delta, 0, 1)."""
    return (images + delta).clamp(0, 1)


def uniform(shape: Sequence[int], eps: float, seed: int) -> Tensor:
    """A start: uniform in [-eps, eps], drawn on the CPU by `seed`."""
    return eps * (2 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 1)


def universal_delta(
    models: Sequence[nn.Module],
    stream: Iterator[Tensor],
    loss: Loss,
    ball: Ball,
    *,
    start: Tensor,
    target: int,
    ensemble: str = "avg",
    stage: str = "universal",
) -> Run[Tensor]:
    """delta (C, H, W) with max abs(delta) <= eps that lowers the mean of `loss(f(clip(x + delta, 0, 1)))`.

    models : one network, or several: "avg" adds up their gradients in every step, "step" takes one
        model after the other
    stream : batches (N, C, H, W) in [0, 1] without end, on the models' device
    start : (C, H, W), where to begin; clamped to the ball
    target : the class whose share among the batch's answers is told as the metric "reached"
    """
    delta = ball.inside(start)
    velocity = torch.zeros_like(delta)
    for step in range(1, ball.steps + 1):
        images = next(stream)
        now = models if ensemble == "avg" else [models[(step - 1) % len(models)]]
        seen = [
            mean_in_parts(partial(_slope, model, delta, loss, target), images, fit=fit_of(model, images))
            for model in now
        ]
        delta, velocity = ball.step(delta, velocity, torch.stack([slope for slope, _ in seen]).sum(0))
        value, reached = torch.stack([told for _, told in seen]).mean(0).tolist()
        yield Progress(
            stage, step, ball.steps, {"loss": value, "reached": reached}, {"delta": magnified(delta)[0].cpu()}
        )
    return delta


def _slope(model: nn.Module, delta: Tensor, loss: Loss, target: int, images: Tensor) -> tuple[Tensor, Tensor]:
    slope, logits = slope_of(model, delta, loss, images)
    return slope, torch.stack([loss(logits).mean(), (logits.argmax(1) == target).float().mean()])


def slope_of(model: nn.Module, delta: Tensor, loss: Loss, images: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient (C, H, W) of the mean loss by delta, without pixels that the clip holds, and the logits (N, K)."""
    moved = images + delta
    with autocast(moved.device):
        logits, slopes = gradient(model, moved.clamp(0, 1).to(dtype_of(model)), loss)
    inside = (moved >= 0) & (moved <= 1)
    return (slopes * inside).mean(0).to(delta), require_finite(logits.float())


def targeted(target: int) -> Loss:
    """CE(f(x), t) of each image."""

    def loss(logits: Tensor) -> Tensor:
        goal = torch.full((len(logits),), target, device=logits.device)
        return F.cross_entropy(logits.float(), goal, reduction="none")

    return loss


def rival(target: int) -> Loss:
    """-log(1.0001 - p_j + 1e-12), where p_j is the largest probability of a class other than t."""

    def loss(logits: Tensor) -> Tensor:
        others = logits.float().softmax(1).index_fill(1, torch.tensor([target], device=logits.device), 0)
        return -(1.0001 - others.amax(1) + 1e-12).log()

    return loss
