"""Robust accuracy against the budget: how many pictures stay right as the change that is allowed grows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.attacks.shared.budget import radius
from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.checks import require_logits
from core.networks.predictions import predict
from core.runs import Progress, Run, told_as

ROBUST, NOISE = "robust", "noise"


@dataclass(frozen=True)
class Robustness:
    """What `RobustCurve` returns, for B budgets, the first of them 0, and N pictures.

    budgets : (B,), radii of the ball, in pixels of [0, 1]
    right : bool (B, N), which pictures are right at this budget and all smaller ones
    noise : bool (B, N), which are right under random noise of that size, the control
    """

    budgets: Tensor
    right: Tensor
    noise: Tensor

    @property
    def robust(self) -> Tensor:
        """Robust accuracy at each budget, (B,); at 0 the clean accuracy."""
        return self.right.double().mean(1)


@dataclass(frozen=True)
class RobustCurve(Method):
    """Accuracy under PGD (Madry et al., ICLR 2018, https://arxiv.org/abs/1706.06083) at rising budgets.

        robust(eps) = 1/N · sum_i [f(x_i') = y_i for every x' that the attack found with ||x' - x||_p <= eps]

    `levels` radii, equally far apart up to `eps`; at each, `steps` steps of 2.5 radii / steps from a random point of
    the ball. A change that is in a small ball is in every larger one: only pictures that are still right are attacked
    again, so the curve never rises. It is an upper bound: a stronger attack may break more. With "l2" the radius is
    eps · sqrt(H W) / 2 (0.5 for 8/255 at 32 x 32), the usual counterpart.
    """

    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of the change is measured",
                     primary=True)  # fmt: skip
    eps: float = knob(8 / 255, low=0.0, high=64 / 255, step=1 / 255, symbol="ε", primary=True,
                      help="the largest budget: largest change of a value, range 0-1")  # fmt: skip
    levels: int = knob(5, low=1, high=20, step=1, help="budgets above 0")
    steps: int = knob(10, low=1, high=1000, step=1, symbol="T", help="gradient steps at each budget", paper=20)
    restarts: int = knob(1, low=1, high=20, step=1, symbol="R", help="random starts at each budget")

    def budgets(self, size: tuple[int, int]) -> list[float]:
        """The radii for pictures of height and width `size`, 0 first."""
        largest = radius(self.eps, self.norm, size)
        return [largest * level / self.levels for level in range(self.levels + 1)]

    def attack(self, budget: float) -> PGD:
        """PGD at one radius."""
        return PGD(norm=self.norm, eps=budget, alpha=2.5 * budget / self.steps, steps=self.steps,
                   restarts=self.restarts)  # fmt: skip

    def run(self, model: nn.Module, data: ImageSet, *, seed: int = 0) -> Run[Robustness]:
        """Measure on `data`. Progress after each budget: "robust", "noise", "n" and "budget", the radius.

        Raises ValueError without pictures, or where labels are not classes of the model.
        """
        if not len(data):
            raise ValueError("Robust accuracy is a share of pictures; give at least one.")
        data = data.to(device_of(model))
        images, labels = data.pixels, data.labels
        budgets = self.budgets((images.shape[2], images.shape[3]))
        left = require_logits(predict(model, images)).argmax(1) == labels
        right, noise, total = [left], [left], len(budgets)
        yield _told(right, noise, budgets, 1)
        for place, budget in enumerate(budgets[1:], start=2):
            now = Progress("curve", place - 1, total)
            if bool(left.any()):
                run = self.attack(budget).run(model, images[left], labels[left], seed=seed)
                found = yield from told_as(run, now)
                left = left.clone()
                left[left.clone()] = ~found.success
            blind = (images + self._noise(images, budget, seed)).clamp(0, 1)
            right, noise = [*right, left], [*noise, predict(model, blind).argmax(1) == labels]
            yield _told(right, noise, budgets, place)
        return Robustness(torch.tensor(budgets), torch.stack(right).cpu(), torch.stack(noise).cpu())

    def _noise(self, images: Tensor, budget: float, seed: int) -> Tensor:
        """Random signs of that size, or in L2 a random direction of that length."""
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)).to(images)
        if self.norm == "linf":
            return budget * noise.sign()
        return budget * noise / noise.flatten(1).norm(dim=1)[:, None, None, None]


def _told(right: list[Tensor], noise: list[Tensor], budgets: list[float], place: int) -> Progress:
    shares = {name: each[-1].float().mean().item() for name, each in ((ROBUST, right), (NOISE, noise))}
    at = budgets[len(right) - 1]
    return Progress("curve", place, len(budgets), shares | {"n": len(right[0]), "budget": at})
