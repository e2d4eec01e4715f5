"""Adversarial noise on the scale and shift of batch norms, and learning masks under it.

Wu and Wang, "Adversarial neuron pruning purifies backdoored deep models", NeurIPS 2021
(arXiv 2110.14430): the channels of a backdoor are those that a small change of their weights
leads to the target class most easily.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.defenses.shared.channel_masks import Masked
from core.networks.model_state import still_statistics
from core.optim.objectives import Metrics, Pass


class Noisy(Masked):
    """Masked batch norms that compute (m + d) gamma x_hat + (1 + xi) beta, d and xi being 0 until drawn."""

    def __init__(self, net: nn.Module, norms: list[str]):
        super().__init__(net, norms)
        self.d = nn.ParameterList(torch.zeros_like(mask) for mask in self.masks)
        self.xi = nn.ParameterList(torch.zeros_like(mask) for mask in self.masks)

    def scaled(self) -> dict[str, Tensor]:
        own, parameters = {}, zip(self.norms, self.masks, self.d, self.xi, strict=True)
        for name, mask, d, xi in parameters:
            own[f"{name}.weight"] = (mask + d) * self.net.get_parameter(f"{name}.weight")
            own[f"{name}.bias"] = (1 + xi) * self.net.get_parameter(f"{name}.bias")
        return own

    @torch.no_grad()
    def draw(self, eps: float, generator: torch.Generator) -> None:
        """d, xi ~ U[-eps, eps], from a generator on the CPU."""
        for noise in [*self.d, *self.xi]:
            noise.copy_(eps * (2 * torch.rand(noise.shape, generator=generator) - 1))

    @torch.no_grad()
    def climb(self, length: float, eps: float) -> None:
        """One step of `length` along the sign of the noise's gradient, back into [-eps, eps]."""
        for noise in [*self.d, *self.xi]:
            if noise.grad is not None:
                noise.add_(length * noise.grad.sign()).clamp_(-eps, eps)

    @torch.no_grad()
    def quiet(self) -> None:
        """No noise."""
        for noise in [*self.d, *self.xi]:
            noise.zero_()


@dataclass(frozen=True)
class UnderNoise:
    """A weight perturbation: along alpha CE(no noise) + (1 - alpha) max over noise of CE, for the masks alone.

    The maximum is sought by `steps` steps of eps / steps along the sign of the gradient, from
    random noise; the noise is kept within eps. All passes see the same batch with its batch
    statistics; running statistics move once, in the pass without noise. eps = 0 gives the gradient
    of the plain loss.
    """

    eps: float
    steps: int
    alpha: float
    generator: torch.Generator

    @contextmanager
    def __call__(self, model: nn.Module, one_pass: Pass) -> Iterator[Metrics]:
        assert isinstance(model, Noisy)
        plain = one_pass()
        gradients = [mask.grad for mask in model.masks]
        model.draw(self.eps, self.generator)
        try:
            with still_statistics(model):
                for _ in range(self.steps):
                    model.zero_grad(set_to_none=True)
                    one_pass()
                    model.climb(self.eps / self.steps, self.eps)
                model.zero_grad(set_to_none=True)
                worst = one_pass()
        finally:
            model.quiet()
        under = [mask.grad for mask in model.masks]
        model.zero_grad(set_to_none=True)  # the noise's own gradients are not to be followed
        for mask, first, second in zip(model.masks, gradients, under, strict=True):
            if first is not None and second is not None:
                mask.grad = self.alpha * first + (1 - self.alpha) * second
        yield {"loss": self.alpha * plain["loss"] + (1 - self.alpha) * worst["loss"]}
