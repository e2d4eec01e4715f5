"""The gradient of an outer loss through the solution of an inner one, by a fixed point.

Minimising L_out(delta*(theta), theta) where delta*(theta) is the fixed point of
Phi(delta, theta) = delta - rate grad_delta L_in(delta, theta): by the implicit function theorem

    d/dtheta = grad_theta L_out + (dPhi/dtheta)' v,   v = (dPhi/ddelta)' v + grad_delta L_out,

and K steps of that iteration for v stand for its solution (Grazzi et al., ICML 2020, arXiv
2006.16218). Needs second derivatives: all in the weights' own precision, without autocast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from core.optim.gradients import Fit, mean_in_parts
from core.runs import Progress, Run

Loss = Callable[..., Tensor]
"""A batch's tensors -> their mean loss, as a function of delta and theta that the caller holds."""


def gradients(loss: Loss, batch: Sequence[Tensor], wanted: Sequence[Tensor], fit: Fit | None = None) -> list[Tensor]:
    """The loss of `batch`, then its gradient with respect to each tensor of `wanted`; `fit` as in `mean_in_parts`."""

    def part(*tensors: Tensor) -> list[Tensor]:
        value = loss(*tensors)
        return [value, *torch.autograd.grad(value, wanted, allow_unused=True, materialize_grads=True)]

    return mean_in_parts(part, *batch, fit=fit)


def products(
    loss: Loss, batch: Sequence[Tensor], delta: Tensor, wanted: Sequence[Tensor], v: Tensor, fit: Fit | None = None
) -> list[Tensor]:
    """The derivatives of <grad_delta loss, v> with respect to each tensor of `wanted`; `fit` as in `mean_in_parts`."""

    def part(*tensors: Tensor) -> Sequence[Tensor]:
        # Fused attention has no second derivative; the plain formula has.
        with sdpa_kernel(SDPBackend.MATH):
            (slope,) = torch.autograd.grad(loss(*tensors), delta, create_graph=True)
            return torch.autograd.grad(slope, wanted, v, allow_unused=True, materialize_grads=True)

    return mean_in_parts(part, *batch, fit=fit)


def hypergradient(
    outer: Loss,
    outer_batch: Sequence[Tensor],
    inner: Loss,
    inner_batch: Sequence[Tensor],
    delta: Tensor,
    theta: Sequence[Tensor],
    *,
    rate: float,
    iterations: int,
    show: Callable[[int], Progress],
    fit: Fit | None = None,
) -> Run[tuple[Tensor, list[Tensor]]]:
    """The outer loss, and its gradient with respect to each tensor of theta after K = `iterations`.

    v starts at 0, so that K = 1 gives v = grad_delta L_out. delta and theta require gradients;
    their `.grad` is left alone. `show(k)` is yielded before each second derivative k = 1 … K - 1.
    `fit` as in `mean_in_parts`.
    """
    value, direct, *found = gradients(outer, outer_batch, [delta, *theta], fit)
    v = direct
    for k in range(1, iterations):
        yield show(k)
        (curved,) = products(inner, inner_batch, delta, [delta], v, fit)
        v = v - rate * curved + direct
    mixed = products(inner, inner_batch, delta, theta, v, fit)
    return value, [a - rate * b for a, b in zip(found, mixed, strict=True)]
