"""AWP: take each step at the worst weights of a small ball, one ball for every layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.knobs import knob
from core.networks.model_state import still_statistics
from core.optim.objectives import Metrics, Pass
from core.optim.weight_perturbation import WeightPerturbation, stepped_at


@dataclass(frozen=True)
class AWP(WeightPerturbation):
    """Adversarial weight perturbation (Wu, Xia, Wang, NeurIPS 2020, arXiv 2004.05884), a part of a training.

        min over w of  max over v in V of  L(w + v),   V = {v: ||v_l|| <= gamma ||w_l|| for every layer l}

    L is the whole loss of the training (adversarial cross-entropy, TRADES, MART), on pictures that were attacked at w.
    One step of ascent from v = 0, as in the paper's defaults, ends on the ball's surface:

        v_l = gamma ||w_l|| g_l / ||g_l||,   g = grad L(w)

    for the kernels of convolutions and linear layers; v = 0 for biases and norms, which have no scale of their own.
    Then w <- w + v, the optimiser's step (momentum, weight decay) with the gradient at w + v, and w <- w - v.

    The ascent leaves running statistics alone, as the paper's code does by a copy of the network; the pass at w + v
    moves them. gamma = 0 is the plain step. One more pass per step: a twelfth of a step with PGD-10.
    Differs from SAM in three ways: a relative ball per layer instead of one absolute one, the step is made at w + v,
    and v is taken away from what the step made.
    """

    gamma: float = knob(
        0.01, low=0.0, high=0.2, step=0.001, symbol="γ", paper=0.01, primary=True,
        help="size of the perturbation of each layer, as a share of the norm of its weights",
    )  # fmt: skip
    warmup: int = knob(0, low=0, high=200, step=1, help="epochs without a perturbation at the start", paper=0)

    @contextmanager
    def __call__(self, model: nn.Module, one_pass: Pass) -> Iterator[Metrics]:
        """Fill `.grad` with the gradient at w + v, for a step that is made there; the metrics are those at w."""
        if self.gamma == 0:
            yield one_pass()
            return
        with still_statistics(model):
            metrics = one_pass()
        weights = [weight for weight in kernels(model) if weight.grad is not None]
        offsets = worst(weights, [weight.grad for weight in weights if weight.grad is not None], self.gamma)
        for parameter in model.parameters():
            parameter.grad = None
        with stepped_at(weights, offsets):
            one_pass()
            yield metrics


def kernels(model: nn.Module) -> list[nn.Parameter]:
    """The weights of convolutions and linear layers: tensors of two dimensions or more that are called a weight."""
    return [weight for name, weight in model.named_parameters() if weight.ndim > 1 and "weight" in name]


def worst(weights: Sequence[Tensor], gradients: Sequence[Tensor], gamma: float) -> list[Tensor]:
    """v_l = gamma ||w_l|| g_l / ||g_l|| for each of the weights; no gradient gives v_l = 0."""
    return [
        g * (gamma * torch.linalg.vector_norm(w) / (torch.linalg.vector_norm(g) + 1e-20))
        for w, g in zip(weights, gradients, strict=True)
    ]
