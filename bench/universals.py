"""One change for all pictures: fooling rates on pictures that it was not made on, beside the control.

    python -m bench.universals [--n 500] [--seeds 0 1 2]

The table goes to lab/stored/tables/universals.json.
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.keep import keep
from core.attacks import Patch, Universal, UniversalChange
from core.data import load_data
from core.runs import finish
from models import load

MODEL = "zoo:scenes-clean"
CHANGES: dict[str, tuple[Any, int | None]] = {
    "Universal, ξ = 10/255": (Universal(), None), "Patch, towards class 0": (Patch(), 0),
}  # fmt: skip
SIDE = 0.4


def row(name: str, found: list[UniversalChange]) -> dict[str, Any]:
    """Rates of one change, one per seed."""
    row: dict[str, Any] = {
        "change": name, "fooled": [each.test.share for each in found],
        "training pictures": [each.fit.share for each in found], "control": [each.control.share for each in found],
    }  # fmt: skip
    if found[0].by_side:
        row[f"side {SIDE}"] = [each.by_side[SIDE][0].share for each in found]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=500, help="test pictures (default 500)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    fit, test = load_data("scenes", "train", limit=500), load_data("scenes", "test", limit=arguments.n)
    model, rows = load(MODEL), []
    for name, (method, target) in CHANGES.items():
        found = [finish(method.run(model, fit, test=test, target=target, seed=seed), bar=True)
                 for seed in arguments.seeds]  # fmt: skip
        rows.append(row(name, found))
    counted = f"{arguments.n} test pictures, of which those that are given class 0 anyway are left out of its rows"
    path = keep(
        "universals", f"One change for all pictures, {MODEL}", rows,
        command=f"python -m bench.universals --n {arguments.n} --seeds {' '.join(map(str, arguments.seeds))}",
        n=f"{counted}; made on 500 training pictures", seeds=arguments.seeds,
        units=dict.fromkeys(["fooled", "training pictures", "control", f"side {SIDE}"], "%"),
        note="Fooled: the network's own answer changes, or goes to class 0. Control: v with random signs, or the patch "
        "with its pixels shuffled. The patch covers 30 to 50 % of the picture's side, and is judged at one side too.",
    )  # fmt: skip
    print(path.read_text())


if __name__ == "__main__":
    main()
