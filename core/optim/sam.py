"""SAM: descend with the gradient from the worst point of a small ball around the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.knobs import knob
from core.optim.objectives import Metrics, Pass
from core.optim.weight_perturbation import WeightPerturbation, pass_at


@dataclass(frozen=True)
class SAM(WeightPerturbation):
    """Sharpness-aware minimisation (Foret et al., ICLR 2021, arXiv 2010.01412), a part of a training.

    With g = grad L(w) the gradient is taken at w + e, e = rho g / ||g||_2: as far uphill as a ball of
    radius rho lets one go, to first order. The adaptive form (ASAM, Kwon et al., ICML 2021, arXiv
    2102.11600) measures the ball in units of each weight, so that large weights are moved most:
    e = rho w^2 g / || |w| g ||_2, which asks for a larger rho. Both passes see the same batch with its
    batch statistics; running statistics move once per step, in the first pass (at w). rho = 0 is the
    plain gradient. Twice the cost of a plain step.
    """

    rho: float = knob(0.05, low=0.0, high=10.0, step=0.05, symbol="ρ", help="radius of the step uphill", paper=0.05)
    adaptive: bool = knob(False, help="measure the radius in units of each weight", paper=False)

    @contextmanager
    def __call__(self, model: nn.Module, one_pass: Pass) -> Iterator[Metrics]:
        """Fill `.grad` with the gradient at w + e, for a step from w; the metrics are those at w."""
        metrics = one_pass()
        if self.rho > 0:
            self._take_uphill(model, one_pass)
        yield metrics

    def _take_uphill(self, model: nn.Module, one_pass: Pass) -> None:
        """Put the gradient at w + e in the place of that at w."""
        weights = [parameter for parameter in model.parameters() if parameter.grad is not None]
        gradients = [parameter.grad for parameter in weights if parameter.grad is not None]
        offsets = uphill(weights, gradients, self.rho, adaptive=self.adaptive)
        pass_at(model, one_pass, weights, offsets)


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
