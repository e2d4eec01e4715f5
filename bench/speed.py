"""How long each repair takes, and writing a backdoor into the weights: the lab's presets, with all cores.

    python -m bench.speed [--seeds 1]

On an idle machine only: two computations on the same cores slow each other many times over. Loading is not counted.
Writes lab/stored/tables/speed.json.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import models
from bench.keep import keep
from core.attacks import WeightBackdoor
from core.data import load_data
from core.defenses import DEFENSES
from core.device import best_device
from core.runs import Run, finish
from core.triggers import BadNets

DATA, BACKDOORED, CLEAN = "cifar10", "zoo:cifar10-badnets", ("zoo:cifar10-clean", "hf:akamaster/cifar_resnet20")
LIMITS = {"RNP": 20, "CLP": 20}
"""Seconds that a repair may take where it is not REPAIR."""

REPAIR, INJECTION = 90, 40


def seconds(run: Run[Any]) -> float:
    """How long a run takes from its first step to its end."""
    start = time.perf_counter()
    finish(run)
    return time.perf_counter() - start


def repair(defense: Any, seed: int) -> float:
    clean = load_data(DATA, "defender", seed=seed)
    return seconds(defense.run(models.load(BACKDOORED).to(best_device()), clean, seed=seed))


def injection(ref: str, seed: int) -> float:
    clean = load_data(DATA, "defender", seed=seed)
    model = models.load(ref).to(best_device())
    return seconds(WeightBackdoor().run(model, clean, trigger=BadNets(side=6), target=1, seed=seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, … (default 1)")
    seeds = list(range(parser.parse_args().seeds))
    repair(DEFENSES[0](), 0)  # the first run of a process is slower
    rows = [
        {"method": cls.__name__, "on": BACKDOORED, "time": [repair(cls(), seed) for seed in seeds],
         "goal": f"≤ {LIMITS.get(cls.__name__, REPAIR)} s"}
        for cls in DEFENSES
    ]  # fmt: skip
    rows += [
        {"method": "WeightBackdoor", "on": ref, "time": [injection(ref, seed) for seed in seeds],
         "goal": f"≤ {INJECTION} s"}
        for ref in CLEAN
    ]  # fmt: skip
    path = keep(
        "speed",
        "How long each method takes",
        rows,
        command=f"python -m bench.speed --seeds {len(seeds)}",
        n=f"one run per seed with {len(load_data(DATA, 'defender')):,} clean images at most",
        seeds=seeds,
        units={"time": "s"},
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
