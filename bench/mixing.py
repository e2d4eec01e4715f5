"""The networks that compare mixers on CIFAR-10, as recipes: one schedule, with and without mixing.

    python -m bench.mixing FOLDER [--seeds 3]

writes a recipe per network and seed into FOLDER, for `perturb train FILE --out MODEL`. `cifar10-fmix` learns from the
first 24,000 training pictures, `cifar10-fmix-10k` from the first 10,000 in as many steps: what mixing is worth grows
with how often a network sees each picture. Other seeds than 0 end in -seed1, -seed2, …
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.knobs import Method
from core.training import CutMix, FMix, MixUp, Standard
from lab.recipes import Recipe

MIXERS: dict[str, Method | None] = {
    "unmixed": None, "mixup": MixUp(), "cutmix": CutMix(probability=0.5), "fmix": FMix(),
}  # fmt: skip
"""Each as its authors train with it on CIFAR-10, except that every picture draws a weight and mask of its own."""
PASSES = {"": (24_000, 84), "-10k": (10_000, 200)}
"""Pictures and epochs: 3,864 and 3,800 steps."""


def recipes(seeds: int) -> dict[str, Recipe]:
    """All networks by name."""
    found = {}
    for part, (pictures, epochs) in PASSES.items():
        for mixer, mix in MIXERS.items():
            method = Standard(epochs=epochs, lr=0.4, batch_size=512, pad=4, pictures=pictures, mix=mix)
            for seed in range(seeds):
                name = f"cifar10-{mixer}{part}" + (f"-seed{seed}" if seed else "")
                found[name] = Recipe(method, "arch:preact_resnet18?width=16", "cifar10", seed=seed)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the recipes are written")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default 3)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, recipe in recipes(arguments.seeds).items():
        (arguments.folder / f"{name}.json").write_text(recipe.to_json(indent=2) + "\n")


if __name__ == "__main__":
    main()
