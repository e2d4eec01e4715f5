"""Scoring every repair with its defaults over the nets of a family: one cell for a net, a repair and a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import models
from bench import kept
from bench.repaired import cell
from core.data import load_data
from core.defenses import DEFENSES
from core.device import hardware
from core.knobs import Method
from core.metrics.rankings import overlap, suspicion
from core.metrics.tac import pairs, trigger_activated_change

SCORED = 1000
"""Test images behind a score, at most."""

PAIRS, SHARE = 300, 0.1
"""Test images behind the oracle ranking, and the share of all channels that two rankings are compared on."""

Cell = dict[str, Any]


def measured(folder: Path, names: list[str], repairs: list[str], seeds: int, out: Path) -> list[Cell]:
    """The cells of these nets and repairs; what `out` holds of these very weights and knobs is not measured again.

    Every net is repaired with seed 0 before any is with seed 1, so that a run that is stopped compares like with like.
    """
    found: list[Cell] = []
    shas = {name: models.load(str(folder / name)).card.sha for name in names}
    for seed, name, method in _order(names, repairs, seeds):
        key = {"net": name, "sha": shas[name], "method": repr(method), "seed": seed}
        one = next((one for one in kept.read(out) if key.items() <= one.items()), None)
        if one is None:
            one = _cell(folder / name, method, seed) | key | {"hardware": hardware()}
            kept.write(out, [*kept.read(out), one])  # read again: another process may have added its own
            print(_line(one), flush=True)
        found.append(one)
    return found


def _order(names: list[str], repairs: list[str], seeds: int) -> Iterator[tuple[int, str, Method]]:
    methods = [made() for made in DEFENSES if made.__name__ in repairs]
    for seed in range(seeds):
        for name in names:
            for method in methods:
                yield seed, name, method


def _cell(folder: Path, method: Method, seed: int) -> Cell:
    """Scores and seconds, TSBD's ranking beside the oracle's; or the sentence with which the repair refuses the net."""
    try:
        found, repaired = cell(str(folder), method, seed, SCORED)
    except ValueError as error:
        return {"refused": str(error)}
    del found["model"]
    ranking = suspicion(repaired.report, "nwc")
    return found | ({"finds": finds(folder, ranking)} if ranking else {})


def finds(folder: Path, ranking: dict[str, Any]) -> float:
    """The share of the tenth of all channels that the trigger moves most that is among the tenth ranked highest."""
    model: Any = models.load(str(folder))
    test = load_data(model.card.data, "test", limit=PAIRS)
    clean, triggered = pairs(test, trigger=model.trigger, target=model.target, mode=model.mode)
    return overlap(ranking, trigger_activated_change(model, clean, triggered), [SHARE])[0]


def _line(one: Cell) -> str:
    head = f"{one['net']:34} {one['method'].split('(')[0]:13} seed {one['seed']}  "
    if "refused" in one:
        return head + one["refused"]
    parts = [f"{key.upper()} {100 * one['before'][key]:5.1f} -> {100 * one['after'][key]:5.1f} %" for key in FIGURES]
    return head + "  ".join(parts) + f"  {one['seconds']:.0f} s"


FIGURES = ("acc", "asr", "ra")
