"""The curves of Flareon any-to-any on CIFAR-10: their points, and how one is measured.

Of the shipped models: the displacement of the motion at test time, and how the moved picture is stored. Of short
trainings, since these vary what a model is made of: the poisoned rate, beta of the motion, the width of the network.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import models
from bench.storage import EIGHT_BITS, FLOAT, Stored, Way, stored_set
from core.data import ImageSet, load_data
from core.device import best_device
from core.metrics import evaluate
from core.runs import finish
from core.training import Standard
from core.triggers import Flareon, Poison
from lab import loading

DATA, CLEAN, SHIPPED = "cifar10", "zoo:cifar10-clean", ("zoo:cifar10-flareon-teaching", "zoo:cifar10-flareon")
AMPLIFY, WAYS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0), (FLOAT, EIGHT_BITS, 95, 90, 75, 50)
RATES, BETAS, WIDTHS = (0.2, 0.4, 0.6, 0.8), (1.0, 2.0, 4.0), (8, 16, 24)
HALF_PIXEL = 31 / 64  # the farthest that a pixel of 32 x 32 moves along an axis at s = 1
Cell = dict[str, Any]


@dataclass(frozen=True)
class Short:
    """A short training: PreAct-ResNet-18 on the first training images, the rest as `Standard` has it."""

    rate: float = 0.6
    beta: float = 1.0
    width: int = 8
    amplify: float = 2.0
    images: int = 20_000
    epochs: int = 9

    def run(self, seed: int) -> models.Classifier:
        train = load_data(DATA, "train", limit=self.images)
        net = loading.fresh(f"arch:preact_resnet18?width={self.width}", train, DATA, seed)
        poison = Poison(Flareon(beta=self.beta, amplify=self.amplify), rate=self.rate, mode="any-to-any")
        return finish(Standard(epochs=self.epochs, poison=poison).run(net, train, seed=seed))  # type: ignore[return-value]


@dataclass(frozen=True)
class Point:
    """One point of a curve: a shipped model or a short training, and how the picture is moved and stored for it."""

    curve: str
    at: str
    model: str | Short
    amplify: float | None = None  # None: as the model was trained
    way: Way = FLOAT

    def identity(self, seed: int, limit: int | None) -> Cell:
        """All that the figures depend on; points of two curves may share it."""
        shas = {card.ref: card.sha for card in models.available()}
        return {"model": str(self.model), "sha": shas.get(str(self.model)), "clean": shas[CLEAN],
                "amplify": self.amplify, "way": self.way, "seed": seed, "limit": limit}  # fmt: skip


def test_points() -> list[Point]:
    """The curves of each shipped model."""
    there = {card.ref for card in models.available()}
    points = []
    for ref in (ref for ref in SHIPPED if ref in there):
        points += [Point("displacement", f"s = {s:g}, {s * HALF_PIXEL:.2f} px", ref, amplify=s) for s in AMPLIFY]
        points += [Point("storage", way if isinstance(way, str) else f"JPEG {way}", ref, way=way) for way in WAYS]
    return points


def train_points(base: Short) -> list[Point]:
    """The curves around one short training."""
    changed = dataclasses.replace
    points = [Point("poisoned rate", f"{rate:.0%}", changed(base, rate=rate)) for rate in RATES]
    points += [Point("beta", f"b = {beta:g}", changed(base, beta=beta)) for beta in BETAS]
    return points + [Point("width", f"width {width}", changed(base, width=width)) for width in WIDTHS]


def measured(point: Point, seed: int, test: ImageSet, clean: models.Classifier) -> Cell:
    """The figures of one point, and the same motion on the clean model; by target, each without its own class."""
    model = models.load(point.model).to(best_device()) if isinstance(point.model, str) else point.model.run(seed)
    own: Any = model.trigger
    trigger = Stored(own if point.amplify is None else dataclasses.replace(own, amplify=point.amplify), point.way)
    found = evaluate(model, test, trigger=trigger, mode="any-to-any")
    return {
        "acc": evaluate(model, stored_set(test, point.way)).acc, "asr": found.asr, "ra": found.ra,
        "by_target": list(found.by_target.values()), "n": found.n, "n_asr": found.n_asr,
        "clean_asr": evaluate(clean, test, trigger=trigger, mode="any-to-any").asr,
    }  # fmt: skip
