"""A-CAV beside TCAV on the same activations, shuffled concepts, and how long captum's vectors take beside ours.

    python -m bench.concepts

Recalls are over the 20 random sets of one run. Writes lab/stored/tables/concepts.json and concept-speed.json.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import tempfile
from typing import Any

import torch
from torch.utils.data import DataLoader

import models
from bench.interleaved import interleaved
from bench.keep import keep
from core.data import load_data
from core.explain import ACAV, TCAV, FastCAV
from core.explain.concepts.examples import divide
from core.explain.concepts.layer import layer_of
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
SETS, SIZE = 10, 50
"""Random sets, and pictures in each, of the comparison of times."""


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


def times(rounds: int = 5) -> list[dict[str, Any]]:
    """Seconds for the vectors of a concept against 10 random sets, 50 pictures each, ours and captum's in turn."""
    from captum.concept import TCAV as Captum
    from captum.concept import Concept

    model, data = models.load(MODELS[0]).eval(), load_data("scenes", "test", limit=N)[: SIZE * (1 + SETS)]
    parts = data.pixels.split(SIZE)

    def ours(method: Any) -> None:
        found = finish(layer_of(model, data.images, LAYER, method.pool).activations(data.images)).double()
        first, *sets = found.split(SIZE)
        method.planes(first, torch.stack(sets), torch.Generator().manual_seed(0))

    def captum() -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            named = [Concept(i, str(i), DataLoader(one, batch_size=SIZE)) for i, one in enumerate(parts)]
            pairs = [[named[0], one] for one in named[1:]]
            Captum(model, [f"net.{LAYER}"], save_path=folder).compute_cavs(pairs)

    calls = {
        "TCAV": lambda: ours(TCAV()),
        "TCAV, every position": lambda: ours(TCAV(pool=False)),
        "FastCAV, every position": lambda: ours(FastCAV(pool=False)),
        "captum, every position": captum,
    }
    took = interleaved(*calls.values(), repeats=rounds)
    return [{"vectors": name, "time": one / 1000} for name, one in zip(calls, took, strict=True)]


def main() -> None:
    command = "python -m bench.concepts"
    keep("concept-speed", "A concept's vectors against ten random sets, ours and captum's", times(), command=command,
         n="median of 5 rounds in turn, one process, 550 pictures", seeds=[0], units={"time": "s"})  # fmt: skip
    keep("concepts", f"A-CAV beside TCAV at {LAYER}", [row for ref in MODELS for row in compared(ref)], command=command,
         n=f"{N:,} Scenes test pictures, 20 random sets", seeds=[0],
         note="Recalls are of held-out pictures; all arms have the same activations and random sets.",
         units={"recall at 5 % FPR": "%", "recall": "%", "false positives": "%", "deviation": "%"})  # fmt: skip
    keep("concepts-shuffled", "How often a concept that was drawn at random is called significant",
         [shuffled(MODELS[0])], command=command, n=f"{SHUFFLES} draws, 10 classes each", seeds=list(range(SHUFFLES)),
         units={"p ≤ 0.05": "%", "t-test p < 0.05": "%"})  # fmt: skip


if __name__ == "__main__":
    main()
