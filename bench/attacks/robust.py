"""Robust accuracy under AutoAttack: ours and that of torchattacks on the same pictures, plain and robust networks."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from torch import Tensor, nn

import models
from bench import kept
from core.attacks import AutoAttack
from core.data import load_data
from core.device import best_device, hardware
from core.networks.predictions import predict
from core.runs import finish

NETS = ("zoo:cifar10-plain", "zoo:cifar10-at-awp")
OURS, THEIRS = "ours", "torchattacks"
EPS, SEED = 8 / 255, 0
BLOCK = 25
"""Pictures at once: minutes, so that a run that is stopped has little to repeat."""
FILE = kept.FOLDER / "autoattack.json"


def measure(nets: list[str], n: int, libraries: tuple[str, ...], file: Path = FILE) -> list[dict[str, Any]]:
    """The cells of all nets, libraries and blocks of pictures; what the file holds already is not measured again."""
    cells = kept.read(file)
    for net, library, first in itertools.product(nets, libraries, range(0, n, BLOCK)):
        pictures = min(BLOCK, n - first)
        asked = {"net": net, "library": library, "first": first, "pictures": pictures}
        if not kept.holds(cells, **asked):
            cells = [*cells, asked | _cell(net, library, first, pictures)]
            kept.write(file, cells)
            print(f"{net}, {library}, from {first}: {len(cells[-1]['survivors'])} survive", flush=True)
    return cells


def _cell(net: str, library: str, first: int, n: int) -> dict[str, Any]:
    model, data = models.load(net).to(best_device()), load_data("cifar10", "test", limit=first + n).to(best_device())
    images, labels = data.pixels[first:], data.labels[first:]
    found, stages = (_ours if library == OURS else _theirs)(model, images, labels, len(data.class_names))
    stands, right = ((predict(model, each).argmax(1) == labels).nonzero()[:, 0] + first for each in (found, images))
    assert bool(((found - images).abs() <= EPS + 1e-6).all()), "a change is larger than the budget"
    return {"right": right.tolist(), "survivors": stands.tolist(), "stages": stages, "hardware": hardware()}


def _ours(model: nn.Module, images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, dict[str, int]]:
    found = finish(AutoAttack(eps=EPS).run(model, images, labels, seed=SEED))
    return found.images, {stage.name: stage.broken for stage in found.report["stages"]}


def _theirs(model: nn.Module, images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, dict[str, int]]:
    import torchattacks  # type: ignore[import-not-found]

    attack = torchattacks.AutoAttack(model.eval().requires_grad_(False), eps=EPS, n_classes=classes, seed=SEED)
    return attack(images, labels), {}


def rows(cells: list[dict[str, Any]], n: int, earlier: dict[str, float]) -> list[dict[str, Any]]:
    """A row per net with all of its n pictures: clean and robust accuracy of both, the pictures that they judge
    otherwise, and how many of them each of our stages broke.

    earlier : torchattacks' figure of nets that have no cells of it, from the table of `bench.masking`
    """
    found = []
    for net in dict.fromkeys(cell["net"] for cell in cells):
        mine, theirs = (_whole(cells, net, library, n) for library in (OURS, THEIRS))
        if mine is None:
            continue
        robust = len(mine["survivors"]) / n
        peer = len(theirs["survivors"]) / n if theirs else earlier.get(net.removeprefix("zoo:"))
        found.append({
            "net": net.removeprefix("zoo:"), "n": n, "ACC": len(mine["right"]) / n, "ours": robust,
            "torchattacks": peer, "points apart": None if peer is None else f"{100 * (robust - peer):+.1f}",
            "pictures judged otherwise": len(mine["survivors"] ^ theirs["survivors"]) if theirs else None,
        } | {f"broken by {stage}": count for stage, count in mine["stages"].items()})  # fmt: skip
    return found


def _whole(cells: list[dict[str, Any]], net: str, library: str, n: int) -> dict[str, Any] | None:
    """Right and surviving pictures of all blocks below n, and the sums of the stages; None where blocks are missing."""
    mine = [c for c in cells if (c["net"], c["library"]) == (net, library) and c["first"] + c["pictures"] <= n]
    if sum(cell["pictures"] for cell in mine) != n:
        return None
    stages: Counter[str] = Counter()
    for cell in mine:
        stages.update(cell["stages"])
    joined = {name: {picture for cell in mine for picture in cell[name]} for name in ("right", "survivors")}
    return joined | {"stages": stages}
