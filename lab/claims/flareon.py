"""What the paper on Flareon claims (arXiv 2212.09979)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from lab.claims.claim import Check, Claim
from lab.claims.evidence import Evidence, Find, cell, runs
from lab.claims.sample import Sample

MODELS = "zoo:*-flareon*"
PAGE = {"method": {"method": "Flareon"}, "model": "zoo:scenes-flareon-teaching", "data": "scenes"}


def _left(repair: str) -> Check:
    return Check(f"ASR left by {repair}", runs(repair, MODELS, "after/asr", over="runs"), 0.5, unit="%")


def _worst_target(of: dict[str, float]) -> float | None:
    """The lowest ASR of all targets, less that of the same motion on the clean model."""
    targets = [name.removeprefix("before/asr/") for name in of if name.startswith("before/asr/")]
    return min((of[f"before/asr/{k}"] - of[f"clean_model/asr/{k}"] for k in targets), default=None)


def _before(value: Callable[[dict[str, float]], float | None], model: str) -> Find:
    """A figure of the attacked model itself: one value, since it is the same before each run of a repair."""

    def find(evidence: Evidence) -> Sample | None:
        found = runs("FinePruning", model, value)(evidence)
        return found and dataclasses.replace(found, values=found.values[:1], seeds=found.seeds[:1])

    return find


CLAIMS = (
    Claim(
        "flareon-oblivious", "flareon",
        "The attack touches neither labels nor loss and needs no knowledge of network, data or hyperparameters.",
        "The same added line in short trainings of three widths, and in other architectures, on two data sets.",
        (
            Check("mean ASR, PreAct-ResNet-18 of width 8", cell("flareon", "ASR", {"point": "width 8"}), 0.5, unit="%"),
            Check("mean ASR, width 16", cell("flareon", "ASR", {"point": "width 16"}), 0.5, unit="%"),
            Check("mean ASR, width 24", cell("flareon", "ASR", {"point": "width 24"}), 0.5, unit="%"),
            Check("mean ASR, other architectures", cell("flareon", "ASR", {"curve": "architecture"}), 0.5, unit="%"),
        ),
        "supply_chain", PAGE,
        "One seed of each width; other architectures were not trained. Three seeds of three would decide.",
    ),
    Claim(
        "flareon-any-to-any", "flareon",
        "Every class becomes a target that its own motion reaches.",
        "The worst target's ASR, less that of the same motion on a clean model, of each shipped model.",
        (
            Check("worst target, CIFAR-10, the paper's motion", _before(_worst_target, "zoo:cifar10-flareon"), 0.5),
            Check("worst target, CIFAR-10, twice the motion", _before(_worst_target, "zoo:cifar10-flareon-*"), 0.5),
            Check("worst target, Scenes, twice the motion", _before(_worst_target, "zoo:scenes-flareon-*"), 0.5),
        ),
        "supply_chain", PAGE,
        "One training of each model: the runs repeat the measurement, not the training. More trainings would decide.",
    ),
    Claim(
        "flareon-accuracy", "flareon",
        "Clean accuracy is above that of attacks that seize more control.",
        "Trainings of every attack with one schedule and three seeds.",
        (Check("accuracy less that of WaNet, one schedule", cell("flareon-accuracy", "less WaNet", {}), 0.0),),
        "supply_chain", PAGE,
        "The shipped models were trained for different numbers of epochs, so their accuracies cannot be compared; "
        "trainings of one schedule would decide.",
    ),
    Claim(
        "flareon-defenses", "flareon",
        "Recent defenses do not stop it.",
        "Repairs and STRIP on the three shipped models, three seeds of each.",
        (
            _left("FineTuning"), _left("FinePruning"), _left("NeuralCleanse"),
            Check("AUROC of STRIP", runs("STRIP", MODELS, "auroc", over="runs"), 0.6, below=True, unit=""),
        ),
        "defend", PAGE | {"method": {"method": "FinePruning"}},
        "The nets are small, and half a pixel of motion is easily forgotten in fine-tuning on clean pictures; a larger "
        "network on larger pictures would tell.",
    ),
)  # fmt: skip
