"""What the family came to: every net's robust accuracy, and AT beside AT-AWP over the seeds that both have."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from pathlib import Path
from typing import Any

from bench import kept
from bench.keep import keep, machines
from models.record import FILE as RECORD
from models.shelf import ZOO

CELLS = kept.FOLDER / "robust.json"
"""The records of nets that do not ship: other seeds of AT and AT-AWP."""
SEED = re.compile(r"-seed(\d+)$")
PUBLISHED = {"AT": "52.79 / 43.75", "AT-AWP": "55.39 / 54.30"}
"""Robust accuracy under PGD-20 of the best and of the last epoch in the logs of Wu et al. (2020): PreAct-ResNet-18 of
width 64, 50,000 pictures of CIFAR-10, 200 epochs."""
COMPARED = {"AT": "cifar10-at", "AT-AWP": "cifar10-at-awp"}
UNITS = dict.fromkeys(("ACC", "robust", "robust, training", "gap", "best epoch", "last epoch"), "%")
NOTE = (
    "robust: right under PGD-20 at 8/255, on test pictures and on those trained on; gap: the second minus the first, "
    "at the last epoch. best epoch, last epoch: right under PGD-10 on 500 pictures held out, by which the best epoch "
    "was found, of all that were looked at (every one or every fifth); a maximum is optimistic."
)

Recorded = dict[str, Any]


def publish(folder: Path | None) -> None:
    """Write the tables "robust" and "awp" of the zoo's nets and those kept in CELLS; `folder` adds its other seeds."""
    extra = {one["net"]: one for one in kept.read(CELLS)}
    for file in sorted(folder.glob(f"*-seed*/{RECORD}")) if folder else ():
        extra[file.parent.name] = {"net": file.parent.name} | read(file)
    kept.write(CELLS, list(extra.values()))
    shipped = {file.parent.name: read(file) for file in sorted(ZOO.glob(f"*/{RECORD}"))}
    everything = shipped | extra
    _keep("robust", "The family of plain and robust networks", [row(name, one) for name, one in shipped.items()],
          shipped, [0], NOTE)  # fmt: skip
    rows, seeds = compared(everything)
    if seeds:
        behind = {name: everything[name] for name in names_of(seeds)}
        _keep("awp", "AT and AT-AWP, the same budget and schedule", rows, behind, seeds,
              f"{NOTE} Here the best is that of epochs at which all of them were looked at. published: best / last "
              "epoch under PGD-20 in the authors' logs, on 50 times the pictures and a network four times as wide, so "
              "that only the order compares.")  # fmt: skip


def read(file: Path) -> Recorded:
    return json.loads(file.read_text(encoding="utf-8"))


def row(name: str, one: Recorded) -> dict[str, Any]:
    """A net's line of the table."""
    return {"net": name} | figures(one)


def figures(one: Recorded, looks: Set[float] | None = None) -> dict[str, float]:
    """What a record says; its best epoch among `looks`, where it is compared with others."""
    test, train = one["scores"]["test"], one["scores"]["train"]
    rows = zip(one["epochs"]["epoch"], one["epochs"]["heldout/robust"], strict=True)
    heldout = [robust for epoch, robust in rows if looks is None or epoch in looks]
    return {
        "ACC": test["acc"], "robust": test["robust"], "robust, training": train["robust"],
        "gap": train["robust"] - test["robust"], "best epoch": max(heldout), "last epoch": heldout[-1],
    }  # fmt: skip


def compared(everything: dict[str, Recorded]) -> tuple[list[dict[str, Any]], list[int]]:
    """A row for AT and one for AT-AWP with a list over the seeds that both have, and those seeds."""
    seeds = [seed for seed in seeds_of(everything) if names_of([seed]) <= set(everything)]
    epochs = [set(everything[name]["epochs"]["epoch"]) for name in names_of(seeds)]
    looks = set.intersection(*epochs) if epochs else set()
    rows = []
    for method, name in COMPARED.items():
        own = [figures(everything[named(name, seed)], looks) for seed in seeds]
        lists = {key: [one[key] for one in own] for key in UNITS}
        n = min((everything[named(name, seed)]["scores"]["test"]["n"] for seed in seeds), default=0)
        rows.append({"method": method} | lists | {"n": n, "published": PUBLISHED[method]})
    return rows, seeds


def seeds_of(everything: dict[str, Recorded]) -> list[int]:
    return sorted({int(match[1]) if (match := SEED.search(name)) else 0 for name in everything})


def names_of(seeds: list[int]) -> set[str]:
    return {named(name, seed) for name in COMPARED.values() for seed in seeds}


def named(name: str, seed: int) -> str:
    return f"{name}-seed{seed}" if seed else name


def _keep(name: str, title: str, rows: list[Any], behind: dict[str, Recorded], seeds: list[int], note: str) -> None:
    tested = {one["scores"]["test"]["n"] for one in behind.values()}
    trained = ", ".join(sorted({one["torch"].split("+")[0] for one in behind.values()}))
    path = keep(
        name, title, rows, command="python -m bench.robust --publish",
        n=f"n = {max(tested):,} test pictures of the data the network learned from, as many training ones", seeds=seeds,
        units=UNITS, note=f"{note} Trained with torch {trained}.", machine=machines(behind.values(), "nets"),
    )  # fmt: skip
    print(path.read_text(encoding="utf-8"))
