"""Every heatmap method under every test of trust, beside maps that look at no network.

    python -m bench.trust

One row for each model and method, means with 95 % intervals over the pictures. Writes lab/stored/tables/trust.json.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

import models
from bench.keep import keep
from core.data import load_data
from core.explain import EXPLAINERS, RISE, AttentionRollout, TrustTests
from core.explain.trust.controls import CONTROLS
from core.explain.trust.trust_tests import MEASURES
from core.networks.predictions import predict
from core.runs import finish
from lab.kinds.shared.trust_outcomes import summary

MODEL, N, SEED = "zoo:scenes-clean", 32, 0
SMALLER: dict[type, dict[str, Any]] = {RISE: {"masks": 500}}
"""Settings of methods that would take too long by default."""


def row(explainer: Any) -> dict[str, Any]:
    """One method over the first N test pictures, for what the model says."""
    model, data = copy.deepcopy(models.load(MODEL)), load_data("scenes", "test", limit=N)
    targets = predict(model, data.pixels).argmax(1)
    trial = finish(
        TrustTests().run(model, data.pixels, targets, masks=data.masks, seed=SEED, explainer=explainer)
    )  # fmt: skip
    found: dict[str, Any] = {"map": type(explainer).__name__}
    for name in MEASURES:
        mean, low, high = summary(name, trial.scores[name]).tolist()
        found[name] = "–" if mean != mean else f"{mean:.2f} ({low:.2f} to {high:.2f})"
    print(found, flush=True)
    return found


def main() -> None:
    torch.set_num_threads(1)
    methods = [cls for cls in EXPLAINERS if cls is not AttentionRollout]
    rows = [row(cls(**SMALLER.get(cls, {}))) for cls in [*CONTROLS, *methods]]
    tests = TrustTests()
    keep(
        "trust", "Can these heatmaps be trusted?", rows, command="python -m bench.trust",
        n=f"{MODEL}, the first {N} Scenes test pictures, explained for what the model says; means with 95 % intervals "
        "over the pictures (bootstrap; pointing: Wilson)", seeds=[SEED],
        note="The first three rows look at no network. Deletion, sensitivity and randomised: lower is better, the "
        f"others higher. Deletion fills with {tests.fill}, both curves have {tests.points} steps; sensitivity is the "
        f"largest of {tests.draws} changes of at most {tests.radius} per pixel; randomised is the rank correlation "
        "with the map of the same network, all of whose layers are random (one draw). RISE has "
        f"{SMALLER[RISE]['masks']} masks; attention rollout needs a transformer.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
