"""Flareon any-to-any on CIFAR-10: attack success against what can be chosen at test time and in the training.

    python -m bench.flareon [--part test|train] [--images 20000] [--epochs 9] [--seeds 1] [--limit N] [--out FILE]

Part "test" scores the shipped models, part "train" trains short ones of its own; bench/curves.py has the points. Each
is written to FILE as soon as it is known; what is there already is not measured again, so the command may be stopped
and repeated. The table goes to lab/stored/tables/flareon.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import models
from bench import kept
from bench.curves import CLEAN, DATA, Cell, Point, Short, measured, test_points, train_points
from bench.keep import keep
from core.data import load_data
from core.device import best_device
from core.training import Standard

SHARES = ("ACC", "ASR", "worst target", "best target", "RA", "ASR on the clean model")


def row(point: Point, cells: list[Cell]) -> Cell:
    """A point as a row of the table, with a list over the seeds in each figure."""
    columns = ("acc", "asr", min, max, "ra", "clean_asr")
    figures = [[one[name] if isinstance(name, str) else name(one["by_target"]) for one in cells] for name in columns]
    model = point.model.removeprefix("zoo:") if isinstance(point.model, str) else "short training"
    return {"curve": point.curve, "model": model, "point": point.at, **dict(zip(SHARES, figures, strict=True))}


def known(cells: list[Cell], point: Point, seed: int, limit: int | None = None) -> list[Cell]:
    """The cell of a point, in a list of one or none."""
    return [cell for cell in cells if cell["of"] == point.identity(seed, limit)][:1]


def publish(cells: list[Cell], base: Short) -> None:
    """The table that bench/report.py prints: of the short trainings the seeds that all their points have."""
    trained, shipped = train_points(base), test_points()
    seeds = [seed for seed in sorted({cell["of"]["seed"] for cell in cells})
             if all(known(cells, point, seed) for point in trained)]  # fmt: skip
    table = [(point, known(cells, point, 0)) for point in shipped]
    table += [(point, [cell for seed in seeds for cell in known(cells, point, seed)]) for point in trained]
    table = [(point, mine) for point, mine in table if mine]
    n, n_asr = table[0][1][0]["n"], table[0][1][0]["n_asr"]
    keep(
        "flareon",
        "Flareon: what its success depends on",
        [row(point, mine) for point, mine in table],
        command=f"python -m bench.flareon --images {base.images} --epochs {base.epochs} --seeds {max(1, len(seeds))}",
        n=f"n = {n:,} test images for ACC, {n_asr:,} triggered ones for ASR and RA; shipped models one each, trained "
        "with seed 0",
        seeds=seeds,
        units=dict.fromkeys(SHARES, "%"),
        note=note(base, bool(seeds)),
    )


def note(base: Short, trained: bool) -> str:
    """What the columns are, and how short the short trainings were."""
    usual = Standard()
    text = (
        "ASR and RA: mean over all ten targets, each without the pictures of its own class; worst and best target: the "
        "lowest and the highest of the ten ASR. Displacement: s at test time, and the farthest that a pixel then moves "
        "along an axis; the paper's is s = 1. Storage: of the picture after it was moved, at the model's own s; ACC is "
        f"that of the clean pictures stored alike. The clean model is {CLEAN.removeprefix('zoo:')}, under the same "
        "motion, stored alike."
    )
    if not trained:
        return text
    return text + (
        f" Short trainings are not the shipped models: PreAct-ResNet-18, the first {base.images:,} training images, "
        f"{base.epochs} epochs in batches of {usual.batch_size}, highest learning rate {usual.lr:g}; width "
        f"{base.width}, rate {base.rate:.0%}, b = {base.beta:g} and s = {base.amplify:g} where the curve does not say "
        "otherwise."
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", choices=("test", "train"), help="only shipped models, or only short trainings")
    parser.add_argument("--images", type=int, default=Short.images, help="training images of a short training")
    parser.add_argument("--epochs", type=int, default=Short.epochs, help="epochs of a short training")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, … of the short trainings (default 1)")
    parser.add_argument("--limit", type=int, help="score only so many test images; the table is not written")
    parser.add_argument("--out", type=Path, default=kept.FOLDER / "flareon.json", help="where cells are kept")
    options = parser.parse_args(argv)
    cells = kept.read(options.out)
    base = Short(images=options.images, epochs=options.epochs)
    plan = [(point, 0) for point in test_points()] if options.part != "train" else []
    if options.part != "test":
        plan += [(point, seed) for seed in range(options.seeds) for point in train_points(base)]
    test, clean = load_data(DATA, "test", limit=options.limit), models.load(CLEAN).to(best_device())
    for point, seed in plan:
        done = known(cells, point, seed, options.limit)
        if not done:
            done = [{"of": point.identity(seed, options.limit)} | measured(point, seed, test, clean)]
            cells += done
            kept.write(options.out, cells)
        shares = [f"{name} {100 * value[0]:.1f}" for name, value in row(point, done).items() if name in SHARES]
        print(f"{point.curve}, {point.at}, seed {seed}:", ", ".join(shares), flush=True)
    if options.limit is None:
        publish(cells, base)


if __name__ == "__main__":
    main()
