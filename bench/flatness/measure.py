"""What is measured of one net: losses, flatness in three ways, the trace of the Hessian, a slice of its landscape."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from bench.robust.train import pictures
from core.attacks import PGD
from core.data import ImageSet
from core.device import best_device, hardware
from core.flatness import AverageFlatness, Flatness, Landscape, WorstFlatness
from core.flatness.hessian import hessian_trace
from core.flatness.robust_loss import Losses, RobustLoss
from core.flatness.weights import own_copy
from core.runs import finish
from models import Classifier, available, load

PICTURES, SLICE, PROBES = 256, 128, 10
"""Pictures of each split (1,000 in the paper); of the landscape and the trace; random signs for the trace."""
DATA = ("cifar10", "scenes")
AVERAGE, WORST = 0.5, 0.003
"""Radii of the balls."""

Cell = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """A net to be measured.

    name : that of its cell; ref : as `models.load` takes it; snapshot : weights to take in place of its own
    """

    name: str
    ref: str
    sha: str
    data: str
    snapshot: Path | None = None

    def model(self) -> Classifier:
        model = load(self.ref)
        if self.snapshot is not None:
            model.net.load_state_dict(load_file(self.snapshot))
        return model


def family(folder: Path | None = None) -> list[Measured]:
    """The nets without a backdoor on these data, plain and robust ones: of the zoo, or of a folder of models."""
    if folder is None:
        cards = [card for card in available() if card.ref.startswith("zoo:")]
    else:
        cards = [load(str(path.parent)).card for path in sorted(folder.glob("*/config.json"))]
    return [
        Measured(re.split("[:/]", card.ref)[-1], card.ref, card.sha, card.data)
        for card in cards if card.data in DATA and not card.backdoored
    ]  # fmt: skip


def snapshots(folder: Path, name: str) -> list[Measured]:
    """One net along its training: the weights that bench.robust has kept of its epochs."""
    last = load(str(folder / name)).card
    return [
        Measured(f"{name}@{path.stem}", last.ref, hashlib.sha256(path.read_bytes()).hexdigest(), last.data, path)
        for path in sorted((folder / "snapshots" / name).glob("*.safetensors"))
    ]


def settings(n: int, seed: int) -> Cell:
    """What a cell depends on beside the net."""
    attack = AverageFlatness.paper()
    return {"n": n, "seed": seed, "eps": attack.eps, "alpha": attack.alpha, "steps": attack.steps,
            "draws": attack.draws, "restarts": WorstFlatness().restarts, "balls": [AVERAGE, WORST], "slice": SLICE,
            "probes": PROBES}  # fmt: skip


def measured(net: Measured, n: int, seed: int, source: Path | None = None) -> Cell:
    """Everything about one net, on the best device; `source` is a folder of pictures for a machine without network."""
    start = time.monotonic()
    model, test, train = _opened(net, n, source)
    attack: Any = RobustLoss.paper()
    cell: Cell = _losses(model, {"test": test, "train": train}, seed)
    common = {"alpha": attack.alpha, "steps": attack.steps}
    cell["average"] = _draws(AverageFlatness(xi=AVERAGE, **common), model, test, seed)
    cell["clean average"] = _draws(AverageFlatness(xi=AVERAGE, loss="clean", **common), model, test, seed)
    cell["worst"] = _draws(WorstFlatness(xi=WORST, **common), model, test, seed)
    cell["trace"] = _trace(model, test[:SLICE], attack.attack, seed)
    surface = finish(Landscape(**common).run(model, test[:SLICE], seed=seed))
    cell["landscape"] = {"alphas": surface.alphas.tolist(), "loss": surface.loss[0, 0].tolist(),
                         "fixed": surface.fixed[0, 0].tolist(), "n": surface.n}  # fmt: skip
    return cell | {"hardware": hardware(), "seconds": round(time.monotonic() - start, 1)}


def briefly(net: Measured, n: int, seed: int, source: Path | None = None) -> Cell:
    """Of one moment of a training: the losses and the average case ."""
    start = time.monotonic()
    model, test, train = _opened(net, n, source)
    attack: Any = RobustLoss.paper()
    cell: Cell = {"epoch": int(re.findall(r"\d+", net.name)[-1])}
    cell |= _losses(model, {"test": test, "train": train}, seed)
    method = AverageFlatness(xi=AVERAGE, alpha=attack.alpha, steps=attack.steps)
    cell["average"] = _draws(method, model, test, seed)
    return cell | {"hardware": hardware(), "seconds": round(time.monotonic() - start, 1)}


def _opened(net: Measured, n: int, source: Path | None) -> tuple[Classifier, ImageSet, ImageSet]:
    """The net, and n pictures of the test and of the training split, on the best device."""
    device = best_device()
    test, train = (pictures(net.data, split, n, source)[:n].to(device) for split in ("test", "train"))
    return net.model().to(device), test, train


def _losses(model: Classifier, sets: dict[str, ImageSet], seed: int) -> Cell:
    """Loss and accuracy of each set, under attack and without."""
    kinds = {loss: dataclasses.replace(RobustLoss.paper(), loss=loss) for loss in ("robust", "clean")}
    return {
        loss: {
            split: _figures(finish(measure.losses(model, data.pixels, data.labels, seed)))
            for split, data in sets.items()
        }
        for loss, measure in kinds.items()
    }


def _figures(found: Losses) -> dict[str, float]:
    return {"loss": found.mean, "acc": found.accuracy}


def _draws(method: Any, model: Classifier, data: ImageSet, seed: int) -> list[float]:
    found: Flatness = finish(method.run(model, data, seed=seed))
    return list(found.draws)


def _trace(model: Classifier, data: ImageSet, attack: PGD, seed: int) -> list[float]:
    """v' H v of the robust loss for each probe, the attacked pictures held."""
    attacked = finish(attack.run(model, data.pixels, data.labels, seed=seed)).images
    net = own_copy(model, data.images)
    return finish(hessian_trace(net, attacked, data.labels, probes=PROBES, seed=seed))


def line(name: str, cell: Cell) -> str:
    """A net in one line."""
    average = sum(cell["average"]) / len(cell["average"])
    test, train = cell["robust"]["test"], cell["robust"]["train"]
    return (
        f"{name:28} robust {100 * test['acc']:5.1f} % (train {100 * train['acc']:5.1f} %), loss {test['loss']:7.3f}; "
        f"average {average:+.3f}; {cell['seconds']:.0f} s"
    )


def file_of(folder: Path, name: str) -> Path:
    """Where a net's cell lies: one file each, so that several processes may measure at once."""
    return folder / f"{name}.json"
