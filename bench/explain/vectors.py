"""The vectors of a concept against ten random sets, ours beside captum's: processor time turn by turn."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from captum.concept import TCAV as CaptumTCAV
from captum.concept import Concept
from torch import Tensor
from torch.utils.data import DataLoader

import models
from bench.interleaved import interleaved
from bench.keep import keep
from core.data import load_data
from core.data.imageset import ImageSet
from core.explain import TCAV, FastCAV
from core.explain.concepts.cav import CAV
from core.explain.concepts.layer import layer_of
from core.runs import finish
from models import Classifier

MODEL, LAYER = "zoo:scenes-clean", "layer3"
SETS, SIZE = 10, 50
"""Random sets, and pictures in each."""


OURS: dict[str, CAV] = {
    "TCAV": TCAV(), "TCAV, every position": TCAV(pool=False), "FastCAV, every position": FastCAV(pool=False),
}  # fmt: skip
CAPTUM = "captum, every position"


def measured(rounds: int = 5) -> list[dict[str, Any]]:
    """Seconds for all vectors, from the pictures on and from activations that are known, median of the rounds."""
    model, data = models.load(MODEL).eval(), load_data("scenes", "test", limit=SIZE * (1 + SETS))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        calls = {
            "from pictures": {name: partial(_ours, model, data, method) for name, method in OURS.items()}
            | {CAPTUM: lambda: _captum(model, data)},
            "from activations": {
                name: partial(_planes, method, _activations(model, data, method)) for name, method in OURS.items()
            } | {CAPTUM: lambda: _captum(model, data, folder)},
        }  # fmt: skip
        times = {
            name: interleaved(*each.values(), repeats=rounds, clock=time.process_time) for name, each in calls.items()
        }
    rows: list[dict[str, Any]] = [{"vectors": name} for name in (*OURS, CAPTUM)]
    for name, found in times.items():
        for row, took in zip(rows, found, strict=True):
            row |= {name: took / 1000, f"{name}, times faster": found[-1] / took}
    return rows


def _activations(model: Classifier, data: ImageSet, method: CAV) -> Tensor:
    return finish(layer_of(model, data.images, LAYER, method.pool).activations(data.images)).double()


def _planes(method: CAV, activations: Tensor) -> None:
    first, *sets = activations.split(SIZE)
    method.planes(first, torch.stack(sets), torch.Generator().manual_seed(0))


def _ours(model: Classifier, data: ImageSet, method: CAV) -> None:
    _planes(method, _activations(model, data, method))


def _captum(model: Classifier, data: ImageSet, folder: str | None = None) -> None:
    """Vectors by captum, which keeps activations in a folder; in one that is given it finds them the next time."""
    if folder is None:
        with tempfile.TemporaryDirectory() as fresh:
            _captum(model, data, fresh)
        return
    named = [Concept(i, str(i), DataLoader(one, batch_size=SIZE)) for i, one in enumerate(data.pixels.split(SIZE))]
    pairs = [[named[0], one] for one in named[1:]]
    CaptumTCAV(model, [f"net.{LAYER}"], save_path=folder).compute_cavs(pairs, force_train=True)


def publish(rows: list[dict[str, Any]], command: str) -> Path:
    """The table lab/stored/tables/concept-speed.json."""
    return keep(
        "concept-speed", "A concept's vectors against ten random sets, ours and captum's", rows, command=command,
        n=f"processor time, median of 5 rounds in turn, one process, {SIZE * (1 + SETS)} pictures", seeds=[0],
        units={"from pictures": "s", "from activations": "s"},
        note=f"From pictures: with the network's passes up to {LAYER}, which all need alike. From activations: they "
        "are known, in memory or, with captum, in its files. TCAV averages over positions by default; every position: "
        "all 4,096 values, as captum takes them.",
    )  # fmt: skip
