"""How a network stands beyond its accuracy: calibration, corruptions, occlusion, PGD, and what its layers keep."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.attacks import PGD
from core.data import ImageSet
from core.data.corruptions import CORRUPTIONS, corrupted
from core.metrics import Calibration, calibration, correct
from core.metrics.information import Bounds, layer_information
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped

OCCLUSION = "occlusion"
BINS = 10
"""Of a reliability diagram over a few hundred pictures."""
PGD_STEPS = 10
MOST = 500
"""Pictures at once whose distances from each other are asked for."""


@dataclass(frozen=True)
class Standing:
    """Of one network on n pictures.

    right : bool (n,), which pictures it gets right as they are
    calibration : its reliability diagram
    corruptions : accuracy under each of `CORRUPTIONS` at the severity that was asked for
    robust : accuracy under PGD
    layers : how much each stage keeps of which of the first `MOST` pictures it was
    """

    right: Tensor
    calibration: Calibration
    corruptions: dict[str, float]
    robust: float
    layers: dict[str, Bounds] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """acc, ece, overconfidence, corrupted (mean over all corruptions but occlusion), occluded, robust."""
        seen = [share for name, share in self.corruptions.items() if name != OCCLUSION]
        return {
            "acc": self.right.double().mean().item(), "ece": self.calibration.ece,
            "overconfidence": self.calibration.overconfidence, "corrupted": sum(seen) / len(seen),
            "occluded": self.corruptions[OCCLUSION], "robust": self.robust,
        }  # fmt: skip


def standing(model: nn.Module, data: ImageSet, *, eps: float, severity: int) -> Run[Standing]:
    """A network's standing on `data`. PGD: linf, `PGD_STEPS` steps of eps / 4 from a random start of seed 0; success
    at any of them counts. Raises ValueError for fewer than two pictures."""
    total = len(CORRUPTIONS) + 2
    logits = predict(model, data.images)
    labels = data.labels.to(logits.device)
    yield Progress("score", 1, total, model=model)
    under = {}
    for step, name in enumerate(CORRUPTIONS, start=2):
        under[name] = correct(predict(model, corrupted(data, name, severity).images), data.labels)
        yield Progress("score", step, total, model=model)
    attack = PGD(eps=eps, alpha=eps / 4, steps=PGD_STEPS)
    attacked = yield from mapped(
        attack.run(model, data.pixels, data.labels), lambda _: Progress("score", total, total, model=model)
    )
    right = (logits.argmax(1) == labels).cpu()
    layers = dict(layer_information(model, data.images[:MOST]))
    return Standing(right, calibration(logits, labels, BINS), under, 1 - torch.mean(attacked.success.float()).item(),
                    layers)  # fmt: skip
