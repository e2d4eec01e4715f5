"""The perturbation of sharpness-aware minimisation (SAM), for a defense or for a training.

Foret et al., ICLR 2021 (arXiv 2010.01412), and its adaptive form (ASAM), Kwon et al., ICML 2021
(arXiv 2102.11600): go uphill as far as a ball of radius rho lets one, take the gradient there, and
descend with it from where one stood. The adaptive ball is measured in units of each weight, so
that large weights are moved most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.networks.model_state import still_statistics


def uphill(weights: Sequence[Tensor], gradients: Sequence[Tensor], rho: float, *, adaptive: bool) -> list[Tensor]:
    """The perturbation e of the weights w with the gradients g, one tensor per weight.

    adaptive: e = rho w^2 g / || |w| g ||_2, so that ||e / w||_2 = rho where w is not 0.
    plain: e = rho g / ||g||_2, so that ||e||_2 = rho.
    Products are elementwise; there is one norm over all tensors. A zero gradient gives e = 0.
    """
    units = [w.abs() if adaptive else torch.ones_like(w) for w in weights]
    scaled = [unit * g for unit, g in zip(units, gradients, strict=True)]
    length = torch.stack([part.norm() for part in scaled]).norm() + 1e-12
    return [rho * unit * part / length for unit, part in zip(units, scaled, strict=True)]


@contextmanager
def moved(weights: Sequence[Tensor], offsets: Sequence[Tensor]) -> Iterator[None]:
    """The weights with the offsets added; on the way out exactly what they were."""
    held = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight, offset in zip(weights, offsets, strict=True):
                weight.add_(offset)
        yield
    finally:
        with torch.no_grad():
            for weight, value in zip(weights, held, strict=True):
                weight.copy_(value)


@dataclass(frozen=True)
class SharpnessAware:
    """Fills `.grad` with the gradient at w + e, the first pass's gradient having said where e points.

    `one_pass()` adds the gradient of a batch to `.grad` and returns the loss. Both passes see the
    same batch with its batch statistics; running statistics move once per step, in the first pass
    (at w). rho = 0 is the plain gradient.
    """

    rho: float
    adaptive: bool

    def __call__(self, model: nn.Module, one_pass: Callable[[], Tensor]) -> Tensor:
        loss = one_pass()
        if self.rho == 0:
            return loss
        weights = [parameter for parameter in model.parameters() if parameter.grad is not None]
        gradients = [parameter.grad for parameter in weights if parameter.grad is not None]
        offsets = uphill(weights, gradients, self.rho, adaptive=self.adaptive)
        for weight in weights:
            weight.grad = None
        with still_statistics(model), moved(weights, offsets):
            one_pass()
        return loss
