"""What the paper on TSBD claims (arXiv 2405.20291)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from lab.claims.claim import Check, Claim
from lab.claims.evidence import Evidence, Find, every, runs
from lab.claims.sample import Sample

DEFEND = {"method": {"method": "TSBD"}, "model": "zoo:scenes-blended", "data": "scenes"}
OVER = "models, mean over seeds"
SETS = {"scenes": "Scenes", "cifar10": "CIFAR-10", "gtsrb": "GTSRB"}


def _each(column: str, data: str) -> Find:
    """A column of the table of unlearning: its mean over the seeds, for each model of a data set."""

    def mean(row: dict[str, Any]) -> float | None:
        return fmean(row[column]) if row[column] else None

    return every("unlearning", mean, {"model": f"{data}-*"}, OVER)


def _excess(row: dict[str, Any]) -> float | None:
    """A model's correlation less that of its clean twin, means over the seeds."""
    pair = row["correlation"], row["clean model correlation"]
    return fmean(pair[0]) - fmean(pair[1]) if pair[0] and pair[1] else None


def _ahead(data: str) -> Find:
    """DER of TSBD less that of the best other repair, of the stored scoreboard."""

    def find(evidence: Evidence) -> Sample | None:
        where = {"data": data, "chosen by": "clean"}
        own = every("scoreboard", lambda row: row["DER"], where | {"defense": "TSBD"}, "")(evidence)
        others = every("scoreboard", lambda row: None if row["defense"] == "TSBD" else row["DER"], where, "")(evidence)
        if own is None or others is None:
            return None
        return dataclasses.replace(own, values=(own.mean - max(others.values),))

    return find


def _after(knobs: Mapping[str, Any], value: str = "after/asr") -> Find:
    fixed = {"selection": "fixed", "neuron_ratio": 0.15, **knobs}
    return runs("TSBD", "zoo:scenes-*", value, fixed, "models and seeds")


def _brought_back(evidence: Evidence) -> Sample | None:
    """ASR after plain fine-tuning less that after activeness-aware fine-tuning, from the same reinitialised weights."""
    plain, aware = (
        _by_run(evidence, {"selection": "fixed", "neuron_ratio": 0.15, "steps": 160, "r": r}) for r in (0.0, 0.05)
    )
    shared = [place for place in plain if place in aware]
    if not shared:
        return None
    found = _after({"r": 0.0})(evidence)
    assert found is not None
    return Sample(
        tuple(plain[place] - aware[place] for place in shared), found.over, found.n, found.hardware,
        tuple(sorted({seed for _, seed in shared})),
    )  # fmt: skip


def _by_run(evidence: Evidence, knobs: Mapping[str, Any]) -> dict[tuple[str, int], float]:
    """ASR by model and seed, of the runs of TSBD on Scenes that have these knobs."""
    return {
        (row["recipe"]["model"], row["recipe"]["seed"]): row["figures"]["after/asr"]
        for row in evidence.rows
        if (about := row["recipe"]["method"])["method"] == "TSBD" and row["recipe"]["data"] == "scenes"
        and all(about.get(name) == value for name, value in knobs.items())
    }  # fmt: skip


CLAIMS = (
    Claim(
        "tsbd-correlation", "tsbd",
        "Forgetting clean pictures changes the same neurons as forgetting the poison.",
        "Rank correlation of the channels' weight changes, layer by layer, on every shipped model with one target.",
        tuple(Check(f"rank correlation, {name}", _each("correlation", data), unit="") for data, name in SETS.items()),
        "neurons", DEFEND | {"method": {"method": "TAC"}},
        "The changes of a layer's channels are alike in any two unlearnings where the channels differ in size.",
    ),
    Claim(
        "tsbd-correlation-control", "tsbd",
        "That correlation is the backdoor's: it is higher than on a clean model.",
        "The same correlation less that on the clean twin, where the triggered pictures keep their own labels.",
        tuple(
            Check(f"correlation less the clean model's, {name}",
                  every("unlearning", _excess, {"model": f"{data}-*"}, OVER), unit="")
            for data, name in SETS.items()
        ),
        "neurons", DEFEND | {"method": {"method": "TAC"}},
        "On a clean model a picture with a trigger is a picture like others, so that forgetting both is nearly the "
        "same task. The correlation alone says little about a backdoor.",
    ),
    Claim(
        "tsbd-activeness", "tsbd",
        "Neurons of a backdoored model are more active: their gradients are larger while clean pictures are forgotten.",
        "Activeness of the last ranked layer over the first steps, as a multiple of the clean twin's.",
        tuple(Check(f"activeness against the clean twin's, {name}", _each("activeness", data), 1.0, unit="")
              for data, name in SETS.items()),
        "defend", DEFEND,
        "How large gradients are depends on how well a model fits its pictures; twins that were trained alike, over "
        "several trainings, would separate the two.",
    ),
    Claim(
        "tsbd-plain-fine-tuning", "tsbd",
        "After reinitialisation plain fine-tuning brings the backdoor back, and activeness-aware fine-tuning does not.",
        "Two models of Scenes, three seeds: the same reinitialised weights, the same steps, with and without the "
        "penalty.",
        (
            Check("ASR without fine-tuning", _after({"steps": 0}), 0.1, below=True, unit="%"),
            Check("ASR after activeness-aware fine-tuning", _after({"steps": 160, "r": 0.05}), 0.1, True, "%"),
            Check("ASR after plain less activeness-aware fine-tuning", _brought_back),
        ),
        "defend", DEFEND,
        "Much of what comes back depends on the learning rate, and both were run with the same one.",
    ),
    Claim(
        "tsbd-ahead", "tsbd",
        "It is ahead of other repairs over eight attacks and three data sets.",
        "The scoreboard: DER of TSBD, mean over eight attacks, less that of the best other repair; thresholds from "
        "clean pictures.",
        tuple(Check(f"DER less the best other's, {name}", _ahead(data), unit="") for data, name in SETS.items()),
        "scoreboard", DEFEND,
        "The lab gives every repair clean pictures to choose its settings by, which helps those that the paper "
        "compares with; small nets leave less room between repairs.",
        {"v": "1", "board": "scenes", "defense": "TSBD", "attack": "blended"},
    ),
)  # fmt: skip
