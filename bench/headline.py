"""README's table of headline results: for each system one figure or two, from stored runs and tables.

Figures of runs disappear when the model they were measured on is trained again; `perturb paper NAME --run` and
`perturb sweep` then bring them back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import fmean
from typing import Any

from bench.scoreboard import complete
from lab import flatness_family, papers, run_log, scoreboard
from lab.papers.tables import label
from lab.tables import cell, stored_table, table

Row = dict[str, Any]


def headline() -> str:
    """The table as Markdown; runs that are not stored have no row."""
    return table([row for system in SYSTEMS for row in system()], {})


def line(experiment: str, figure: str, value: str, n: int, seeds: list[int], hardware: str) -> Row:
    """A row of the table."""
    return {"experiment": experiment, "figure": figure, "value": value, "n": f"{n:,}",
            "seeds": ", ".join(map(str, seeds)), "hardware": hardware}  # fmt: skip


def flareon() -> list[Row]:
    """Flareon at the paper's displacement: the shipped model's row."""
    found = measured("zoo")
    row = next(row for row in found["rows"] if (row["model"], row["scored on"]) == ("cifar10-flareon", "test"))
    value = f"{cell(row['ASR'], '%')} ({cell(row['ASR on the clean model'], '%')})"
    figure = "mean ASR over ten targets (on the clean model)"
    return [line("Flareon, half a pixel, CIFAR-10", figure, value, row["n (ASR, RA)"], [0], found["hardware"])]


def weight_backdoor() -> list[Row]:
    """A trigger written into the weights of a finished model, with the lab's defaults."""
    runs = of_paper("weight-backdoor", 0, "WeightBackdoor on akamaster/cifar_resnet20")
    if not runs:
        return []
    change = fmean(run["figures"]["after/acc"] - run["figures"]["before/acc"] for run in runs)
    value = f"{values(runs, 'after/asr')} ({100 * change:+.1f} points)"
    return [behind("Weight backdoor in the Hub's ResNet-20", "ASR (change of accuracy)", value, runs, "after/asr")]


def reactivation() -> list[Row]:
    """What a small budget wakes beside what it does to clean images."""
    runs = of_paper("reactivation", 0, "ReActivation(eps=0.05) on FineTuning on cifar10-blended")
    if not runs:
        return []
    name, control = "asr/reactivated@3.188", "asr/clean_universal@3.188"
    told, figure = "Re-activation of Blended after fine-tuning, 3.2/255", "ASR (same budget, found on clean images)"
    return [behind(told, figure, f"{values(runs, name)} ({values(runs, control)})", runs, name)]


def repairs() -> list[Row]:
    """The best repair of the scoreboard, TSBD, and plain fine-tuning as the control, over eight attacks."""
    cells = complete(rows_here()).get(("cifar10", "clean"), {})
    standings = {row["defense"]: row for row in scoreboard.rows(cells)}
    rows = []
    for name in list(dict.fromkeys([*list(standings)[:1], "TSBD", "FineTuning"])):
        own = {place: one for place, one in cells.items() if place[0] == name}
        if own and standings[name]["ASR"]:
            row = standings[name]
            told = f"{name}, rank {row['rank']:.1f} of {len(standings)} repairs, CIFAR-10"
            value = f"{cell(row['ASR'], '%')} ({100 * fmean(row['ACC lost']):.1f} points)"
            figure = "mean ASR left over eight attacks (accuracy lost)"
            rows.append(behind(told, figure, value, scoreboard.runs_behind(own), "after/asr"))
    return rows


def regional() -> list[Row]:
    """The centre square against the whole picture, in the first direction between the two models."""
    found = measured("regional")
    row = next(row for row in found["rows"] if row["region"] == "square")
    value = f"{cell(row['transfer, region'], '%')} ({cell(row['transfer, global'], '%')})"
    told = f"Regional attack on {cell(row['area'], '%')} of the area"
    return [line(told, "transfer (global attack)", value, row["n"], found["seeds"], found["hardware"])]


def awp() -> list[Row]:
    """AT-AWP against AT at the last epoch, over the seeds that both have."""
    found = stored_table("awp")
    if found is None:
        return []
    at, awp = found["rows"]
    value = f"{cell(awp['robust'], '%')} ({cell(at['robust'], '%')})"
    told = "AT-AWP on 1,000 pictures of CIFAR-10, last epoch"
    return [line(told, "accuracy under PGD-20 (AT)", value, awp["n"], found["seeds"], found["hardware"])]


def flatness() -> list[Row]:
    """How well average-case flatness orders the robust loss of the family."""
    kept = stored_table("flatness")
    if kept is None:
        return []
    found = flatness_family.family("cifar10", robust=True).correlation("average", "robust loss")
    if found is None:
        return []
    value = f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
    told, figure = "Average-case flatness of robust nets", "rank correlation with the robust loss (95 % interval)"
    return [line(told, figure, value, found.n, kept["seeds"], kept["hardware"])]


def speed() -> list[Row]:
    """The slowest repair, and the app's answer to a slider."""
    found, app = measured("speed"), measured("live")
    slowest = max((row for row in found["rows"] if row["method"] != "WeightBackdoor"), key=lambda row: row["time"])
    slider = next(row for row in app["rows"] if row["what"].startswith("trigger slider"))
    return [
        line(f"Slowest repair, {slowest['method']}", "time of a run", cell(slowest["time"], "s"),
             len(slowest["time"]), found["seeds"], found["hardware"]),
        line("The app", slider["what"], cell(slider["time"], "s"), len(slider["time"]), app["seeds"], app["hardware"]),
    ]  # fmt: skip


SYSTEMS: tuple[Callable[[], list[Row]], ...] = (
    flareon, weight_backdoor, reactivation, repairs, regional, awp, flatness, speed,
)  # fmt: skip


def measured(name: str) -> dict[str, Any]:
    """A kept table; ValueError names the command that writes it."""
    found = stored_table(name)
    if found is None:
        raise ValueError(f"There is no table {name!r} yet; python -m bench.{name} measures it.")
    return found


def rows_here() -> list[Row]:
    """The stored runs of today's models, without this machine's history."""
    return run_log.of_todays_models(run_log.shipped())


def of_paper(name: str, place: int, run: str) -> list[Row]:
    """The stored runs behind one line of a paper's table, over the seeds."""
    known = {json.dumps(row["recipe"], sort_keys=True): row for row in rows_here()}
    recipes = papers.planned(papers.read(name)["tables"][place]).recipes
    wanted = (known.get(recipe.to_json()) for recipe in recipes if label(recipe) == run)
    return [row for row in wanted if row is not None]


def values(runs: list[Row], figure: str) -> str:
    """A share over the seeds."""
    return cell([run["figures"][figure] for run in runs], "%")


def behind(experiment: str, figure: str, value: str, runs: list[Row], counted: str) -> Row:
    """A row about stored runs; `counted` is the figure whose n stands in it (the smallest, where they differ)."""
    n = min(run["counts"][counted] for run in runs)
    seeds = sorted({run["recipe"]["seed"] for run in runs})
    return line(experiment, figure, value, n, seeds, "; ".join(sorted({run["hardware"] for run in runs})))
