"""ITSR beside the adversarial autoencoder on scikit-learn's digits, clean and contaminated.

    python -m bench.outliers.digits [--cells N]

Each finished cell is written to bench/cells/outliers-digits.json at once, so that it may be stopped and started again;
the table goes to lab/stored/tables/itsr-digits.json. --cells 0 measures nothing. No network is needed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from bench import kept
from bench.keep import keep, machines
from core.anomaly import ITSR
from core.device import hardware
from core.runs import finish
from lab.recipes import Recipe

FILE = kept.FOLDER / "outliers-digits.json"
SHARES = (0.0, 0.01, 0.05)
SEEDS = (0, 1, 2)
METHODS = {"AdversarialAutoencoder": "AAE", "ITSR": "ITSR"}
NOTE = (
    "Mean ± standard deviation over the seeds; the lab's defaults. Normal kept: the share of normal test pictures "
    "below both thresholds, which are those of the training pictures; with so few of these the errors of others "
    "lie higher, and a balanced accuracy may pass its ceiling or fall far below it whatever the AUROC."
)

Cell = dict[str, Any]


def recipe(share: float, seed: int) -> Recipe:
    """Both detectors with the lab's defaults, 0 being normal and 2 the outlier."""
    inputs = {"normal": "class=0", "outlier": "class=2", "contamination": share, "detectors": "AdversarialAutoencoder"}
    return Recipe(ITSR(), "zoo:scenes-clean", "digits", inputs, seed)


def measured(share: float, seed: int) -> Cell:
    """One run of the kind `outlier`: both detectors on the same training and test pictures."""
    began = time.process_time()
    result = finish(recipe(share, seed).run())
    cell: Cell = {
        "share": share, "seed": seed, "n_train": len(result.images["truth"]),
        "outliers": int(result.figures["outliers"]), "n": result.counts["ITSR/bacc"],
        "cpu_seconds": round(time.process_time() - began, 1), "hardware": hardware(),
    }  # fmt: skip
    for name in METHODS:
        cell[name] = {key: result.figures[f"{name}/{key}"] for key in ("bacc", "ceiling", "auroc", "tnr")}
    return cell


def publish(cells: list[Cell]) -> Path:
    """Write lab/stored/tables/itsr-digits.json: a row for each share and method."""
    rows = []
    for share in SHARES:
        found = sorted((cell for cell in cells if cell["share"] == share), key=lambda cell: cell["seed"])
        for name, said in METHODS.items():
            row: dict[str, Any] = {"contamination": f"{100 * share:g} %", "method": said}
            row["outliers"] = ", ".join(sorted({str(cell["outliers"]) for cell in found})) or "missing"
            for column, key in (("BAcc", "bacc"), ("ceiling", "ceiling"), ("AUROC", "auroc"), ("normal kept", "tnr")):
                row[column] = [cell[name][key] for cell in found] or None
            rows.append(row)
    missing = len(SHARES) * len(SEEDS) - len(cells)
    lacking = f"; {missing} of {len(SHARES) * len(SEEDS)} cells are missing" if missing else ""
    clean = next((cell for cell in cells if cell["share"] == 0), None)
    n = "nothing yet" if clean is None else (
        f"{clean['n']} test pictures of 0 and 2; trained on {clean['n_train']} pictures of 0 and the outliers beside "
        "them"
    )
    return keep(
        "itsr-digits",
        "ITSR and AAE on scikit-learn's digits: 0 is normal, 2 contaminates the training pictures, or nothing does",
        rows,
        command="python -m bench.outliers.digits",
        n=n + lacking,
        seeds=sorted({cell["seed"] for cell in cells}),
        machine=machines(cells, "runs") if cells else "",
        note=" ".join([NOTE, *(told(*each) for each in _differences(cells))]),
    )  # fmt: skip


def _differences(cells: list[Cell]) -> list[tuple[float, list[float], list[float]]]:
    """For each share, ITSR's balanced accuracy and AUROC less those of the AAE, seed by seed."""
    found = []
    for share in SHARES:
        pairs = [(cell["ITSR"], cell["AdversarialAutoencoder"]) for cell in cells if cell["share"] == share]
        if len(pairs) > 1:
            bacc, auroc = ([one[key] - other[key] for one, other in pairs] for key in ("bacc", "auroc"))
            found.append((share, bacc, auroc))
    return found


def told(share: float, bacc: list[float], auroc: list[float]) -> str:
    """Whether ITSR loses anything against the AAE beyond the spread over the seeds."""
    mean, spread = statistics.fmean(bacc), statistics.stdev(bacc)
    where = f"With {100 * share:g} % outliers among the training pictures" if share else "On clean training pictures"
    said = (
        f"{where} ITSR's balanced accuracy less AAE's is {100 * mean:+.1f} ± {100 * spread:.1f} points (AUROC "
        f"{statistics.fmean(auroc):+.3f} ± {statistics.stdev(auroc):.3f})"
    )
    if abs(mean) <= spread:
        return f"{said}: neither gain nor loss beyond the spread over {len(bacc)} seeds."
    return f"{said}: a {'gain' if mean > 0 else 'loss'} beyond the spread over {len(bacc)} seeds."


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, default=None, help="how many more cells to measure (default: all)")
    cells = kept.read(FILE)
    there = {(cell["share"], cell["seed"]) for cell in cells}
    planned = [(share, seed) for share in SHARES for seed in SEEDS]
    for one in [one for one in planned if one not in there][: parser.parse_args().cells]:
        cells.append(measured(*one))
        kept.write(FILE, cells)
        print(cells[-1], flush=True)
    print(publish(cells).read_text())


if __name__ == "__main__":
    main()
