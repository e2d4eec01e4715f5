"""Two families of backdoored networks, as recipes: one to choose defaults on, one that is only ever scored.

A net is called data set, trigger and architecture (`cifar10-blended-vgg11-bn`), and is trained by its recipe alone.
Widths and epochs are such that a net takes two to five minutes on one CPU core.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.training import Standard
from core.triggers import SIG, BadNets, Blended, LowFrequency, Poison, Trigger
from lab.recipes import Recipe

DATA = "cifar10", "scenes"
SCORED = 1000
"""Test images that a net is scored on when it is trained."""


@dataclass(frozen=True)
class Pair:
    """An architecture, its trigger on CIFAR-10 and on Scenes, and for how many epochs each net is trained."""

    ref: str
    triggers: tuple[Trigger, Trigger]
    epochs: tuple[int, int]
    lr: float = 0.1

    def recipes(self, name: str, target: int, seed: int) -> dict[str, Recipe]:
        """Both trainings by the net's name; a tenth of the pictures carry the trigger."""
        found = {}
        for data, trigger, epochs in zip(DATA, self.triggers, self.epochs, strict=True):
            method = Standard(epochs=epochs, lr=self.lr, poison=Poison(trigger, target=target))
            called = f"{data}-{type(trigger).__name__.lower()}-{name}"
            found[called] = Recipe(method, f"arch:{self.ref}", data, {"n": SCORED}, seed)
        return found


def family(pairs: dict[str, Pair], target: int, seed: int) -> dict[str, Recipe]:
    """All nets of a family by name."""
    nets: dict[str, Recipe] = {}
    for name, pair in pairs.items():
        nets |= pair.recipes(name, target, seed)
    return nets


SPOT, PICTURE = BadNets(), Blended()
DEVELOPMENT = family(
    {
        "vgg11": Pair("cifar_vgg11?width=24&batch_norm=0", (SPOT, PICTURE), (5, 8), lr=0.02),
        "vgg11-bn": Pair("cifar_vgg11?width=32", (PICTURE, SPOT), (4, 8)),
        "resnet20": Pair("cifar_resnet20", (SPOT, PICTURE), (3, 5)),
        "preact18-w8": Pair("preact_resnet18?width=8", (PICTURE, SPOT), (4, 10)),
        "mobilenetv2": Pair("cifar_mobilenetv2?width=0.25&depth=0.5&output_stride=16", (SPOT, PICTURE), (3, 5)),
    },
    target=0, seed=0,
)  # fmt: skip
"""The nets to choose the defaults of the repairs on: a local and a spread trigger for each architecture."""

SQUARE, WAVE, SMOOTH = BadNets(side=4, margin=14), SIG(), LowFrequency()
"""A white square of 4 x 4 pixels in the middle, a sinusoid, a fitted smooth pattern."""

SECOND = family(
    {
        "vgg13": Pair("cifar_vgg13?width=24&batch_norm=0", (SQUARE, WAVE), (7, 8), lr=0.02),
        "vgg16-bn": Pair("cifar_vgg16?width=24", (SMOOTH, SQUARE), (5, 6)),
        "resnet32": Pair("cifar_resnet32", (WAVE, SMOOTH), (3, 5)),
        "preact18-w12": Pair("preact_resnet18?width=12", (SQUARE, WAVE), (6, 6)),
        "preact10-w24": Pair("preact_resnet18?width=24&depth=1", (WAVE, SQUARE), (6, 6)),
        "mobilenetv2-w35": Pair("cifar_mobilenetv2?width=0.35&depth=0.5&output_stride=16", (SQUARE, SMOOTH), (3, 5)),
    },
    target=3, seed=1,
)  # fmt: skip
"""The nets that nothing was chosen on: other depths and widths, other triggers, another target, another seed."""

FAMILIES = {"development": DEVELOPMENT, "second": SECOND}


def architecture_of(name: str) -> str:
    """`vgg11-bn` of `cifar10-blended-vgg11-bn`."""
    return name.split("-", 2)[2]
