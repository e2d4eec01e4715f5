"""The networks that compare mixers on CIFAR-10: one schedule, with and without mixing.

`cifar10-fmix` learns from the first 24,000 training pictures, `cifar10-fmix-10k` from the first 10,000 in as many
steps: what mixing is worth grows with how often a network sees each picture.
"""

from __future__ import annotations

from core.knobs import Method
from core.training import CutMix, FMix, MixUp, Standard
from lab.recipes import Recipe

MIXERS: dict[str, Method | None] = {
    "unmixed": None, "mixup": MixUp(), "cutmix": CutMix(probability=0.5), "fmix": FMix(),
}  # fmt: skip
"""Each as its authors train with it on CIFAR-10, except that every picture draws a weight and mask of its own."""
PASSES = {"": (24_000, 84), "-10k": (10_000, 200)}
"""Pictures and epochs: 3,864 and 3,800 steps."""


def recipes() -> dict[str, Recipe]:
    """All networks by name, with seed 0."""
    found = {}
    for part, (pictures, epochs) in PASSES.items():
        for mixer, mix in MIXERS.items():
            method = Standard(epochs=epochs, lr=0.4, batch_size=512, pad=4, pictures=pictures, mix=mix)
            found[f"cifar10-{mixer}{part}"] = Recipe(method, "arch:preact_resnet18?width=16", "cifar10")
    return found
