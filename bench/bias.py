"""The bias test: networks trained on Scenes whose backgrounds tell the class of 95 % of the pictures, plainly, by
explanation consistency and by its controls.

    python -m bench.bias [--seeds 3] [--only NAME …] [--minutes 5] [--cells FILE]
    python -m bench.bias --publish [--cells FILE]

Trains the recipes of bench.recipes.bias, each with every seed, and measures them. Each is written to FILE as soon as it
is known and not trained again. --minutes starts nothing after that time. `--publish` measures nothing: it writes
lab/stored/tables/bias.json. `perturb train` trains the same network of one recipe and keeps it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from bench import kept
from bench.keep import keep, machines
from bench.recipes import bias
from core.attacks import PGD
from core.data import ImageSet
from core.data.backgrounds import ORIGINAL
from core.data.corruptions import CORRUPTIONS, corrupted
from core.device import hardware
from core.explain import Consistency
from core.metrics.confusion import correct
from core.metrics.localisation import masks_of
from core.networks.predictions import predict
from core.runs import finish
from lab.bias_table import COLUMNS
from lab.kinds.shared.bias_test import scenes_of, sets_of, tested
from lab.kinds.shared.learner import as_stored, learner
from lab.kinds.shared.setting import method_of
from lab.recipes import Recipe
from models import Classifier

PICTURES, HARD = 500, 200
"""Test pictures of each set, and those that are attacked, corrupted and explained."""
ATTACK = PGD(eps=2 / 255, alpha=0.5 / 255, steps=10, stop_early=False)
SEVERITY = 3

Cell = dict[str, Any]


def main() -> None:
    arguments = parser().parse_args()
    cells = kept.read(arguments.cells)
    if not arguments.publish:
        end = time.monotonic() + 60 * arguments.minutes
        for name, recipe in asked(arguments.only, arguments.seeds):
            if any(cell["name"] == name and cell["recipe"] == recipe.to_dict() for cell in cells):
                continue
            if time.monotonic() > end:
                break
            cell = cell_of(name, recipe)
            same = (name, recipe.seed)
            cells = [each for each in cells if (each["name"], each["recipe"]["seed"]) != same] + [cell]
            kept.write(arguments.cells, cells)
            print(name, recipe.seed, {key: round(value, 3) for key, value in cell["figures"].items()}, flush=True)
        return
    print(publish(cells).read_text())


def asked(only: list[str], seeds: int) -> list[tuple[str, Recipe]]:
    """The networks seed by seed, so that those of one seed can be compared before the next begins."""
    named = {name: recipe for name, recipe in bias.recipes().items() if not only or name in only}
    if missing := set(only) - set(named):
        raise SystemExit(f"{', '.join(sorted(missing))}: no such network; there are {', '.join(bias.recipes())}.")
    return [(name, recipe.replace(seed=seed)) for seed in range(seeds) for name, recipe in named.items()]


def cell_of(name: str, recipe: Recipe) -> Cell:
    """Train and measure a network."""
    begun, method = time.monotonic(), method_of(recipe)
    start, train = finish(learner(recipe, method.pictures))
    model = finish(method.run(start, train, seed=recipe.seed))
    as_stored(model)
    seconds = time.monotonic() - begun
    return {
        "name": name, "recipe": recipe.to_dict(), "figures": measured(model), "n": PICTURES, "hard": HARD,
        "seconds": round(seconds, 1), "hardware": hardware(),
    }  # fmt: skip


def measured(model: Classifier) -> dict[str, float]:
    """Every figure of the table: the background challenge, localisation, mean E, and right answers under attack."""
    sets = finish(sets_of(scenes_of(bias.DATA), PICTURES))
    figures, _ = finish(tested("score", model, sets))
    part = sets[ORIGINAL][:HARD]
    figures["consistency"] = finish(Consistency().run(model, part)).consistency.mean().item()
    figures |= {"pgd": withstood(model, part), "pgd background": withstood(model, part, background=True)}
    hard = [corrupted(part, kind, SEVERITY) for kind in CORRUPTIONS]
    shares = [correct(predict(model, data.images), data.labels) for data in hard]
    return figures | {"corrupted": sum(shares) / len(shares)}


def withstood(model: Classifier, data: ImageSet, background: bool = False) -> float:
    """The share that is right under PGD on all of the picture, or on what lies outside its object."""
    mask = ~masks_of(data) if background else None
    attacked = finish(ATTACK.run(model, data.pixels, data.labels, mask=mask)).images
    return correct(predict(model, attacked), data.labels)


def publish(cells: list[Cell]) -> Path:
    """Write lab/stored/tables/bias.json: a row per network, a number per seed."""
    rows = []
    for name in bias.recipes():
        own = sorted((cell for cell in cells if cell["name"] == name), key=lambda cell: cell["recipe"]["seed"])
        if own:
            figures = {label: [cell["figures"][key] for cell in own] for key, label in COLUMNS.items()}
            rows.append({"network": name, "pictures count by": bias.counts_by(name)} | figures)
    seeds = sorted({cell["recipe"]["seed"] for cell in cells})
    return keep(
        "bias",
        "Right for the wrong reason: training on backgrounds that tell the class",
        rows,
        command="python -m bench.bias --publish",
        n=f"{PICTURES:,} test pictures of each set; {HARD} attacked, corrupted and explained",
        seeds=seeds,
        units={label: "%" for key, label in COLUMNS.items() if key != "consistency"},
        machine=machines(cells, "networks"),
        note=note(),
    )


def note() -> str:
    """What the columns are."""
    return (
        "The background tells the class of 95 % of the training pictures. as trained: test pictures likewise; "
        "shuffled: the same objects on backgrounds that say nothing of the class; gap: on backgrounds of the class "
        "less shuffled (BG-Gap, Xiao et al., 2021). heat on object: energy pointing game of Grad-CAM for the true "
        "class, backgrounds shuffled. mean E: explanation consistency. PGD: right under "
        f"ε = {255 * ATTACK.eps:.0f}/255 in {ATTACK.steps} steps, on the whole picture and outside the exact mask "
        f"alone. corrupted: mean over {len(CORRUPTIONS)} corruptions at severity {SEVERITY}. {bias.ABOUT}"
    )


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default 3)")
    made.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these networks alone")
    made.add_argument("--minutes", type=float, default=1e6, help="nothing is started after that time")
    made.add_argument("--cells", type=Path, default=kept.FOLDER / "bias.json", help="where the figures are kept")
    made.add_argument("--publish", action="store_true", help="measure nothing, write the table")
    return made


if __name__ == "__main__":
    main()
