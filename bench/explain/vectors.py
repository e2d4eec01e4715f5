"""The vectors of a concept against ten random sets, ours beside captum's: processor time turn by turn."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from captum.concept import TCAV as CaptumTCAV
from captum.concept import Concept
from torch.utils.data import DataLoader

import models
from bench.interleaved import interleaved
from bench.keep import keep
from core.data import load_data
from core.explain import TCAV, FastCAV
from core.explain.concepts.layer import layer_of
from core.runs import finish

MODEL, LAYER = "zoo:scenes-clean", "layer3"
SETS, SIZE = 10, 50
"""Random sets, and pictures in each."""


def measured(rounds: int = 5) -> list[dict[str, Any]]:
    """Seconds for all vectors, median of the rounds."""
    model, data = models.load(MODEL).eval(), load_data("scenes", "test", limit=SIZE * (1 + SETS))
    parts = data.pixels.split(SIZE)

    def ours(method: Any) -> None:
        found = finish(layer_of(model, data.images, LAYER, method.pool).activations(data.images)).double()
        first, *sets = found.split(SIZE)
        method.planes(first, torch.stack(sets), torch.Generator().manual_seed(0))

    def captum() -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            named = [Concept(i, str(i), DataLoader(one, batch_size=SIZE)) for i, one in enumerate(parts)]
            pairs = [[named[0], one] for one in named[1:]]
            CaptumTCAV(model, [f"net.{LAYER}"], save_path=folder).compute_cavs(pairs)

    calls = {
        "TCAV": lambda: ours(TCAV()),
        "TCAV, every position": lambda: ours(TCAV(pool=False)),
        "FastCAV, every position": lambda: ours(FastCAV(pool=False)),
        "captum, every position": captum,
    }
    *found, theirs = interleaved(*calls.values(), repeats=rounds, clock=time.process_time)
    return [
        {"vectors": name, "time": took / 1000, "times faster": theirs / took}
        for name, took in zip(calls, [*found, theirs], strict=True)
    ]


def publish(rows: list[dict[str, Any]], command: str) -> Path:
    """The table lab/stored/tables/concept-speed.json."""
    return keep(
        "concept-speed", "A concept's vectors against ten random sets, ours and captum's", rows, command=command,
        n=f"processor time, median of 5 rounds in turn, one process, {SIZE * (1 + SETS)} pictures", seeds=[0],
        units={"time": "s"},
    )  # fmt: skip
