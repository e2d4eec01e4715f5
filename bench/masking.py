"""Is the robustness of a net real, or are its gradients masked? Three checks beside PGD-20.

    python -m bench.masking [NET …] [--n 200] [--other zoo:cifar10-trades]

For each net of the zoo, on the first n test pictures at 8/255: PGD with 20 steps; PGD with 100 steps and 5 restarts,
which must not find much more; the examples of PGD-20 on another net, which must not do better than the net's own; and
AutoAttack (Croce and Hein, ICML 2020) as torchattacks has it, a test extra. A minute to ten per net on one core.
Writes the table lab/stored/tables/masking.json.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import models
from bench.keep import keep
from core.attacks import PGD
from core.data import load_data
from core.data.imageset import ImageSet
from core.device import best_device
from core.metrics import evaluate
from core.networks.predictions import predict
from core.runs import finish

NETS = ("zoo:cifar10-at-awp", "zoo:cifar10-mart")
EPS = 8 / 255
FELL, AHEAD = 0.03, 0.0
"""How far more steps may lower robust accuracy, and how far transfer may be ahead of the net's own attack."""


def main() -> None:
    arguments = parser().parse_args()
    rows = [measured(net, arguments.other, arguments.n, arguments.seed) for net in arguments.nets]
    path = keep(
        "masking", "Checks for masked gradients", rows, command="python -m bench.masking",
        n=f"n = {arguments.n} test pictures of CIFAR-10", seeds=[arguments.seed],
        units=dict.fromkeys(("ACC", "PGD-20", "PGD-100, 5 restarts", "transfer", "AutoAttack"), "%"),
        note="Share of all pictures that are right, under Linf 8/255. transfer: under the examples of PGD-20 on "
        f"{arguments.other}. masked: where more steps lower it by more than {100 * FELL:.0f} points, or transfer does "
        "better than the net's own attack.",
    )  # fmt: skip
    print(path.read_text(encoding="utf-8"))


def measured(net: str, other: str, n: int, seed: int) -> dict[str, Any]:
    """A net's line of the table."""
    model, surrogate = (models.load(ref).to(best_device()) for ref in (net, other))
    data = load_data("cifar10", "test", limit=n).to(best_device())
    row: dict[str, Any] = {"net": net.removeprefix("zoo:"), "ACC": evaluate(model, data).acc}
    row["PGD-20"] = 1 - _success(PGD(eps=EPS, steps=20), model, data, seed)
    row["PGD-100, 5 restarts"] = 1 - _success(PGD(eps=EPS, steps=100, restarts=5), model, data, seed)
    there = finish(PGD(eps=EPS, steps=20, stop_early=False).run(surrogate, data.pixels, data.labels, seed=seed))
    row["transfer"] = right(model, data, there.images)
    started = time.time()
    row["AutoAttack"] = auto_attack(model, data, seed)
    print(f"{net}: {row}; AutoAttack took {time.time() - started:.0f} s", flush=True)
    return row | {"masked": masked(row)}


def masked(row: dict[str, Any]) -> str:
    """What the figures say of the gradients."""
    fell = row["PGD-20"] - row["PGD-100, 5 restarts"] > FELL
    ahead = row["PGD-20"] - row["transfer"] > AHEAD
    return "yes" if fell or ahead else "no sign"


def right(model: Any, data: ImageSet, images: Any) -> float:
    """Share of `images` that the model gives the labels of `data`."""
    return (predict(model, images).argmax(1) == data.labels).float().mean().item()


def _success(attack: PGD, model: Any, data: ImageSet, seed: int) -> float:
    return finish(attack.run(model, data.pixels, data.labels, seed=seed)).success.float().mean().item()


def auto_attack(model: Any, data: ImageSet, seed: int) -> float:
    """Robust accuracy under the standard AutoAttack of torchattacks."""
    import torchattacks  # type: ignore[import-not-found]

    attack = torchattacks.AutoAttack(model, eps=EPS, n_classes=len(data.class_names), seed=seed)
    return right(model, data, attack(data.pixels, data.labels))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("nets", nargs="*", default=list(NETS), metavar="NET", help=f"default: {', '.join(NETS)}")
    made.add_argument("--other", default="zoo:cifar10-trades", help="where the transferred examples come from")
    made.add_argument("--n", type=int, default=200, help="test pictures")
    made.add_argument("--seed", type=int, default=0)
    return made


if __name__ == "__main__":
    main()
