"""A robustness report of a network: curve, AutoAttack, classes, corruptions and regions, on the same pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.inputs.autoattack.autoattack import AutoAttack
from core.attacks.inputs.regional.masks import frame, scattered, square
from core.attacks.robustness.robust_curve import RobustCurve, Robustness
from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.budget import radius
from core.data.corruptions import CORRUPTIONS, corrupted
from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped, told_as

AREA = 0.287
"""Share of the pixels in each region, as in the regional attack."""
REGIONS, EVERYWHERE = ("square", "frame", "random"), "everywhere"


@dataclass(frozen=True)
class RobustReport:
    """What `RobustnessReport` returns.

    curve : PGD at rising budgets, on all N pictures
    cascade : AutoAttack on the first pictures; its report has "stages", "robust" and "warnings"
    by_class : class index -> (clean accuracy, robust accuracy at the largest budget, pictures)
    corrupted : corruption -> accuracy on all N pictures
    regions : region -> robust accuracy under PGD that may change only it, on all N pictures
    """

    curve: Robustness
    cascade: Adversarial
    by_class: dict[int, tuple[float, float, int]]
    corrupted: dict[str, float]
    regions: dict[str, float]

    @property
    def right(self) -> Tensor:
        """bool (N,), right as they are."""
        return self.curve.right[0]


@dataclass(frozen=True)
class RobustnessReport(Method):
    """How robust a network is, from five sides, on pictures whose classes it knows.

    curve : RobustCurve, PGD at `levels` budgets up to `eps`
    AutoAttack (Croce, Hein, ICML 2020, https://arxiv.org/abs/2003.01690) at `eps`, on the first `attacked` pictures
    worst class : robust accuracy at `eps` by class
    corruptions : noise, blur, contrast, brightness, pixelation, JPEG (CIFAR-10-C, Hendrycks, Dietterich, ICLR 2019,
        https://arxiv.org/abs/1903.12261) and occlusion at one severity
    regions : PGD at `eps` that may change only a square, a frame or random pixels of 28.7 % of the area
    """

    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of the change is measured")
    eps: float = knob(8 / 255, low=0.0, high=64 / 255, step=1 / 255, symbol="ε", primary=True,
                      help="largest change of a value; in L2 the usual counterpart")  # fmt: skip
    levels: int = knob(4, low=1, high=20, step=1, help="budgets of the curve above 0")
    steps: int = knob(10, low=1, high=1000, step=1, symbol="T", help="gradient steps of PGD", paper=20)
    attacked: int = knob(16, low=1, high=10_000, step=1, help="pictures that AutoAttack is run on", primary=True)
    version: str = knob("standard", choices=("standard", "quick"), help="of AutoAttack: all four attacks, or APGD only")
    severity: int = knob(3, low=1, high=5, step=1, help="of the corruptions")

    def run(self, model: nn.Module, data: ImageSet, *, seed: int = 0) -> Run[RobustReport]:
        """Measure on `data`. Progress: stages "curve", "APGD-CE" … , "corruptions", "regions".

        Raises ValueError without pictures, or where labels are not classes of the model.
        """
        if not len(data):
            raise ValueError("A robustness report needs pictures; give at least one.")
        data = data.to(device_of(model))
        curve = yield from self._curve.run(model, data, seed=seed)
        cascade = yield from self._cascade(model, data[: self.attacked], seed)
        under = yield from self._corruptions(model, data, seed)
        regions = yield from self._regions(model, data, curve, seed)
        by_class = {}
        for k in data.labels.unique().tolist():
            own = (data.labels == k).cpu()
            shares = curve.right[0][own], curve.right[-1][own]
            by_class[k] = (*(each.float().mean().item() for each in shares), int(own.sum()))
        return RobustReport(curve, cascade, by_class, under, regions)  # type: ignore[arg-type]

    @property
    def _curve(self) -> RobustCurve:
        return RobustCurve(norm=self.norm, eps=self.eps, levels=self.levels, steps=self.steps)

    def _radius(self, data: ImageSet) -> float:
        return radius(self.eps, self.norm, (data.images.shape[2], data.images.shape[3]))

    def _cascade(self, model: nn.Module, data: ImageSet, seed: int) -> Run[Adversarial]:
        attack = AutoAttack(norm=self.norm, eps=self._radius(data), version=self.version)
        return (yield from mapped(attack.run(model, data.pixels, data.labels, seed=seed), _quiet))

    def _corruptions(self, model: nn.Module, data: ImageSet, seed: int) -> Run[dict[str, float]]:
        found = {}
        for step, name in enumerate(CORRUPTIONS, start=1):
            answers = predict(model, corrupted(data, name, self.severity, seed=seed).images).argmax(1)
            found[name] = (answers == data.labels).float().mean().item()
            yield Progress("corruptions", step, len(CORRUPTIONS))
        return found

    def _regions(self, model: nn.Module, data: ImageSet, curve: Robustness, seed: int) -> Run[dict[str, float]]:
        height, width = data.images.shape[2:]
        left, found = data[curve.right[0].to(data.images.device)], dict.fromkeys(REGIONS, 0.0)
        if len(left):
            random = scattered(AREA, len(left), height, width, torch.Generator().manual_seed(seed))
            attack = self._curve.attack(self._radius(data))
            masks = zip(REGIONS, (square(AREA, height, width), frame(AREA, height, width), random), strict=True)
            for step, (name, mask) in enumerate(masks, start=1):
                now = Progress("regions", step, len(REGIONS))
                run = attack.run(model, left.pixels, left.labels, mask=mask.to(left.images.device), seed=seed)
                broken = (yield from told_as(run, now)).success
                found[name] = int((~broken).sum()) / len(data)
                yield now
        return found | {EVERYWHERE: curve.robust[-1].item()}


def _quiet(progress: Progress) -> Progress:
    """AutoAttack's own numbers are of fewer pictures than the curve's and are not told beside them."""
    return dataclasses.replace(progress, metrics={}, images={})
