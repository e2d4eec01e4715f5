"""TSBD beside fine-tuning and Fine-Pruning on the shipped models, with the lab's defaults.

    python -m bench.tsbd [--models zoo:scenes-badnets …] [--seeds 3] [--limit N] [--out FILE]

Every defense gets the "defender" images of the seed (clean, 5 % of the training images) and nothing else. ACC, ASR
and RA are measured on the test images, before and after. Each cell is written to FILE as soon as it is known; what is
there already is not run again, so the command may be stopped and repeated. Delete FILE after a change of defaults.
The table goes to lab/stored/tables/tsbd.json.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import models
from bench import kept, repaired
from bench.keep import keep
from core.defenses import TSBD, FinePruning, FineTuning
from core.knobs import Method

METHODS: list[Method] = [FineTuning(), FinePruning(), TSBD()]


def backdoored() -> list[str]:
    """The shipped models with a backdoor that TSBD's goal names: four triggers, two data sets."""
    names = [f"zoo:{data}-{what}" for data in ("scenes", "cifar10") for what in ("badnets", "blended", "sig", "wanet")]
    there = {card.ref for card in models.available()}
    return [name for name in names if name in there]


def rows(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per model and defense, with a list over the seeds in each cell."""
    table: list[dict[str, Any]] = []
    for ref in dict.fromkeys(cell["model"] for cell in cells):
        mine = [cell for cell in cells if cell["model"] == ref]
        name = ref.removeprefix("zoo:")
        table.append({"model": name, "defense": "none"} | _three(mine[:1], "before"))
        for method in METHODS:
            of_method = [cell for cell in mine if cell["method"] == repr(method)]
            if of_method:
                table.append({"model": name, "defense": type(method).__name__} | _three(of_method, "after"))
    return table


def _three(cells: list[dict[str, Any]], when: str) -> dict[str, list[float]]:
    return {key.upper(): [cell[when][key] for cell in cells] for key in ("acc", "asr", "ra")}


def show(one: dict[str, Any]) -> str:
    """A cell as one line."""
    before, after = one["before"], one["after"]
    parts = [f"{key.upper()} {100 * before[key]:5.1f} -> {100 * after[key]:5.1f} %" for key in ("acc", "asr", "ra")]
    method = one["method"].split("(")[0]
    return f"{one['model']:22} {method:12} seed {one['seed']}  " + "  ".join(parts) + f"  {one['seconds']:.0f} s"


def summary(cells: list[dict[str, Any]]) -> str:
    """Mean and spread over models and seeds, by defense."""
    lines = []
    for method in METHODS:
        mine = [cell for cell in cells if cell["method"] == repr(method)]
        if len(mine) < 2:
            continue
        asr = [100 * cell["after"]["asr"] for cell in mine]
        lost = [100 * (cell["before"]["acc"] - cell["after"]["acc"]) for cell in mine]
        mean = f"ASR {statistics.fmean(asr):.1f} ± {statistics.stdev(asr):.1f} %, "
        mean += f"ACC lost {statistics.fmean(lost):.1f} ± {statistics.stdev(lost):.1f} points"
        lines.append(f"{type(method).__name__:12} {len(mine)} runs: {mean}")
    return "\n".join(lines)


def publish(cells: list[dict[str, Any]], seeds: int) -> None:
    """The table that bench/report.py prints."""
    n = sorted({cell["after"]["n"] for cell in cells})
    n_asr = sorted({cell["after"]["n_asr"] for cell in cells})
    clean = sorted({cell["clean"] for cell in cells})
    keep(
        "tsbd",
        "TSBD, Fine-Pruning and fine-tuning on the shipped models",
        rows(cells),
        command="python -m bench.tsbd",
        n=f"n = {_or(n)} test images for ACC, {_or(n_asr)} triggered ones for ASR and RA, {_or(clean)} clean images "
        "for the defense",
        seeds=list(range(seeds)),
        units={"ACC": "%", "ASR": "%", "RA": "%"},
        note="All with the lab's defaults, chosen over the development family of bench/family/nets.py and on "
        "scenes-badnets; no defense sees a trigger.",
    )


def _or(numbers: list[int]) -> str:
    return " or ".join(f"{number:,}" for number in numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="*", help="references such as zoo:scenes-badnets (default: all that apply)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default 3)")
    parser.add_argument("--limit", type=int, help="score only so many test images")
    parser.add_argument("--out", type=Path, default=kept.FOLDER / "tsbd.json", help="where cells are kept")
    arguments = parser.parse_args()
    cells = kept.read(arguments.out)
    shas = {card.ref: card.sha for card in models.available()}
    # A cell of a model that was trained again since says nothing any more.
    cells = [c for c in cells if c["sha"] == shas.get(c["model"], c["sha"])]
    for ref in arguments.models or backdoored():
        for method in METHODS:
            for seed in range(arguments.seeds):
                done = [c for c in cells if (c["model"], c["method"], c["seed"]) == (ref, repr(method), seed)]
                if not done:
                    cells.append(repaired.cell(ref, method, seed, arguments.limit)[0])
                    kept.write(arguments.out, cells)
                print(show((done or cells)[-1]), flush=True)
    print(summary(cells))
    if arguments.models is None and arguments.limit is None:
        publish(cells, arguments.seeds)


if __name__ == "__main__":
    main()
