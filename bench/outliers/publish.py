"""The table of the measured cells, beside the published figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.keep import keep, machines
from bench.outliers.measure import METHODS, OUTLIER, PICTURES, SEEDS, SHARES, Cell

PUBLISHED = {("AE", 0.01): 0.69, ("AAE", 0.01): 0.91, ("ITSR", 0.01): 0.94}
"""Balanced accuracies of observed outliers that a summary of the paper names; the paper itself was not read."""


def publish(cells: list[Cell]) -> Path:
    """Write lab/stored/tables/itsr.json: a row for each share and method, and what is missing."""
    rows, missing = [], 0
    for share in sorted(SHARES, reverse=True):
        for name in METHODS:
            found = [cell for cell in cells if cell["method"] == name and cell["share"] == share]
            missing += len(SEEDS) - len(found)
            row: dict[str, Any] = {"contamination": f"{100 * share:g} %", "method": name, "seeds": _seeds(found)}
            published = PUBLISHED.get((name, share))
            row |= {"published BAcc": "" if published is None else f"{published:.2f}"}
            if found:
                row |= {
                    "BAcc": [cell["bacc_observed"] for cell in found], "ceiling": [cell["ceiling"] for cell in found],
                    "AUROC": [cell["auroc_observed"] for cell in found],
                    "BAcc, other classes": [cell["bacc_unobserved"] for cell in found],
                }  # fmt: skip
            rows.append(row)
    test = f"{cells[0]['n_observed']:,} test pictures of 0 and {OUTLIER}" if cells else "nothing yet"
    lacking = f"; {missing} of {len(SHARES) * len(METHODS) * len(SEEDS)} cells are missing" if missing else ""
    return keep(
        "itsr",
        "Outliers on MNIST: 0 is normal, 2 contaminates the training pictures",
        rows,
        command="python -m bench.outliers",
        n=f"{test}; trained on {PICTURES:,} pictures of 0 and the outliers beside them{lacking}",
        seeds=sorted({cell["seed"] for cell in cells}),
        machine=machines(cells, "cells") if cells else "",
        note="A reduced schedule: 100 epochs in all (ITSR 30 + 5 rounds of 8 + 30), batches of 100, at width 256, on "
        f"the first {PICTURES:,} zeros; the authors train 4,000 (AE), 1,000 (AAE) and 2,500 (ITSR) epochs at width "
        "1,000 on all of them. Several seeds: mean ± standard deviation. The ceiling is that of the rule, from the "
        "share of training pictures that it rejects; on test pictures it is approximate. The published figures are "
        "those that a summary of the paper names: not read in the paper itself.",
    )


def _seeds(found: list[Cell]) -> str:
    return ", ".join(str(cell["seed"]) for cell in found) or "missing"
