"""A-CAV beside TCAV on the same activations, and shuffled concepts.

    python -m bench.concepts

Recalls are over the 20 random sets of one run. Writes lab/stored/tables/concepts.json and concepts-shuffled.json.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

import models
from bench.keep import keep
from core.data import load_data
from core.explain import ACAV, TCAV
from core.explain.concepts.examples import divide
from core.explain.concepts.probe import Probe
from core.runs import finish
from lab import concepts

MODELS, LAYER, N = ("zoo:scenes-clean", "zoo:scenes-badnets"), "layer3", 2_000
CONCEPTS = ("colour=red", "background_colour=blue", "class=disc", "class=heart", "texture=stripes")
ARMS = {
    "TCAV": TCAV(controls=1),
    "A-CAV, margin away": ACAV(controls=1),
    "A-CAV, margin toward": ACAV(controls=1, direction="toward"),
    "A-CAV, 20 dimensions removed": ACAV(controls=1, rank=20),
    "margin and average only": ACAV(controls=1, negatives="random"),
    "average only": ACAV(controls=1, negatives="random", rounds=0),
}
SHUFFLES = 20


def compared(ref: str) -> list[dict[str, Any]]:
    """Every concept and arm on one model."""
    model, data = models.load(ref), load_data("scenes", "test", limit=N)
    rows = []
    for text in CONCEPTS:
        probe = finish(Probe.of(model, data, concepts.find(text, data, 32), layer=LAYER))
        for arm, method in ARMS.items():
            found = finish(method.found(probe))
            recalls = found.recalls
            rows.append({
                "model": ref, "concept": concepts.words(text), "method": arm,
                "recall at 5 % FPR": recalls.recall_at_5.tolist(), "recall": recalls.recall.tolist(),
                "false positives": recalls.false_positive_rate.tolist(), "deviation": found.spread,
                "pictures": found.positives,
            })  # fmt: skip
            print({name: x if not isinstance(x, list) else round(sum(x) / len(x), 3) for name, x in rows[-1].items()})
    return rows


def shuffled(ref: str) -> dict[str, Any]:
    """How often a concept whose pictures were drawn at random is significant, over its classes."""
    model, data = models.load(ref), load_data("scenes", "test", limit=1_000)
    holds = concepts.find("texture=stripes", data, 32)
    assert isinstance(holds, torch.Tensor)
    probe, ps, ts = finish(Probe.of(model, data, holds, layer=LAYER)), [], []
    for seed in range(SHUFFLES):
        order = torch.randperm(len(holds), generator=torch.Generator().manual_seed(seed))
        drawn = dataclasses.replace(probe, examples=divide(data, holds[order], 100, seed))
        found = finish(TCAV(controls=19).found(drawn, seed=seed))
        ps.append((found.p <= 0.05).double().mean().item())
        ts.append((found.t_test < 0.05).double().mean().item())
    return {"model": ref, "concept": "drawn at random", "p ≤ 0.05": ps, "t-test p < 0.05": ts, "pictures": 1_000}


def main() -> None:
    command = "python -m bench.concepts"
    keep("concepts", f"A-CAV beside TCAV at {LAYER}", [row for ref in MODELS for row in compared(ref)], command=command,
         n=f"{N:,} Scenes test pictures, 20 random sets", seeds=[0],
         note="Recalls are of held-out pictures; all arms have the same activations and random sets.",
         units={"recall at 5 % FPR": "%", "recall": "%", "false positives": "%", "deviation": "%"})  # fmt: skip
    keep("concepts-shuffled", "How often a concept that was drawn at random is called significant",
         [shuffled(MODELS[0])], command=command, n=f"{SHUFFLES} draws, 10 classes each", seeds=list(range(SHUFFLES)),
         units={"p ≤ 0.05": "%", "t-test p < 0.05": "%"})  # fmt: skip


if __name__ == "__main__":
    main()
