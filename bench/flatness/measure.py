"""What is measured of one net: losses, flatness in three ways, the trace of the Hessian, a slice of its landscape."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from core.attacks import PGD
from core.data import ImageSet, load_data
from core.device import best_device, hardware
from core.flatness import AverageFlatness, Flatness, Landscape, WorstFlatness
from core.flatness.hessian import hessian_trace
from core.flatness.robust_loss import Losses, RobustLoss
from core.flatness.weights import own_copy
from core.runs import finish
from models import Card, Classifier, available, load

PICTURES, SLICE, PROBES = 1000, 512, 10
"""Pictures of each split as in the paper; of the landscape; random signs for the trace, on SLICE pictures."""
DATA = ("cifar10", "scenes")
AVERAGE, WORST = (0.5, 0.25, 0.1), (0.003, 0.00075)
"""Radii; the first of each stands in the table."""

Cell = dict[str, Any]


def family() -> dict[str, Card]:
    """The zoo's nets without a backdoor on these data, by name: plain and robust ones."""
    cards = {card.ref.removeprefix("zoo:"): card for card in available() if card.ref.startswith("zoo:")}
    return {name: card for name, card in cards.items() if card.data in DATA and not card.backdoored}


def settings(n: int, seed: int) -> Cell:
    """What a cell depends on beside the net."""
    attack = AverageFlatness.paper()
    return {"n": n, "seed": seed, "eps": attack.eps, "alpha": attack.alpha, "steps": attack.steps,
            "draws": attack.draws, "balls": [AVERAGE, WORST], "slice": SLICE, "probes": PROBES}  # fmt: skip


def measured(ref: str, data: str, n: int, seed: int) -> Cell:
    """Everything about one net, on its device."""
    start, device = time.monotonic(), best_device()
    model = load(ref).to(device)
    size = model.input_size[-1]
    test, train = (load_data(data, split, limit=n, size=size)[:n].to(device) for split in ("test", "train"))
    attack: Any = RobustLoss.paper()
    cell: Cell = {"robust": {}, "clean": {}}
    for split, images in (("test", test), ("train", train)):
        for loss in ("robust", "clean"):
            cell[loss][split] = _figures(finish(_with(attack, loss).losses(model, images.pixels, images.labels, seed)))
    common = {"alpha": attack.alpha, "steps": attack.steps}
    cell["average"] = {str(xi): _draws(AverageFlatness(xi=xi, **common), model, test, seed) for xi in AVERAGE}
    cell["clean average"] = _draws(AverageFlatness(xi=AVERAGE[0], loss="clean", **common), model, test, seed)
    cell["worst"] = {
        str(xi): _draws(WorstFlatness(xi=xi, restarts=WorstFlatness.paper().restarts, **common), model, test, seed)
        for xi in WORST
    }
    cell["trace"] = _trace(model, test[:SLICE], attack.attack, seed)
    surface = finish(Landscape(**common).run(model, test[:SLICE], seed=seed))
    cell["landscape"] = {"alphas": surface.alphas.tolist(), "loss": surface.loss[0, 0].tolist(),
                         "fixed": surface.fixed[0, 0].tolist(), "n": surface.n}  # fmt: skip
    return cell | {"hardware": hardware(), "seconds": round(time.monotonic() - start, 1)}


def _with(attack: RobustLoss, loss: str) -> RobustLoss:
    return RobustLoss(loss=loss, eps=attack.eps, alpha=attack.alpha, steps=attack.steps)


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
    mean = {xi: sum(draws) / len(draws) for xi, draws in cell["average"].items()}
    told = ", ".join(f"{xi}: {value:+.3f}" for xi, value in mean.items())
    robust = cell["robust"]
    return (
        f"{name:28} robust {100 * robust['test']['acc']:5.1f} % (train {100 * robust['train']['acc']:5.1f} %), loss "
        f"{robust['test']['loss']:7.3f}; average {told}; worst {max(cell['worst'][str(WORST[0])]):+.3f}; "
        f"{cell['seconds']:.0f} s"
    )


def file_of(folder: Path, name: str) -> Path:
    """Where a net's cell lies: one file each, so that several processes may measure at once."""
    return folder / f"{name}.json"
