"""Is the robustness of a net real, or are its gradients masked? Checks beside PGD-20.

    python -m bench.masking [--only NET …] [--minutes M] [--publish]

For each robust net of the CIFAR-10 zoo, on the first 200 test pictures at 8/255: PGD with 20 steps; PGD with 100 steps
and 5 restarts, which must not find much more; the examples of PGD-20 on another net, which must not do better than the
net's own; and, for two of the multi-step nets and both single-step ones, AutoAttack (Croce and Hein, ICML 2020) as
torchattacks has it, a test extra. One to ten minutes per net on one core. A net goes to bench/cells/masking.json as
soon as it is known and is not measured again; --minutes starts none after that time; --publish measures nothing.
Writes the table lab/stored/tables/masking.json.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import models
from bench import kept
from bench.keep import keep, machines
from core.attacks import PGD
from core.data import load_data
from core.data.imageset import ImageSet
from core.device import best_device, hardware
from core.metrics import evaluate
from core.networks.predictions import predict
from core.runs import finish

NETS = (
    "at-awp", "mart", "fgsm-rs", "n-fgsm", "at", "at-early", "at-long", "at-autoaugment", "at-rotation",
    "at-weightdecay", "trades", "trades-awp", "mart-awp",
)  # fmt: skip
AUTOATTACKED = NETS[:4]
EPS, N, SEED = 8 / 255, 200, 0
FELL, AHEAD = 0.03, 0.0
"""How far more steps may lower robust accuracy, and how far transfer may be ahead of the net's own attack."""
FILE = kept.FOLDER / "masking.json"


def main() -> None:
    asked = parser().parse_args()
    cells, end = kept.read(FILE), time.monotonic() + 60 * asked.minutes
    for net in [] if asked.publish else asked.only:
        if kept.holds(cells, net=net) or time.monotonic() > end:
            continue
        cells.append(measured(net))
        kept.write(FILE, cells)
        print(cells[-1], flush=True)
    print(publish(cells).read_text(encoding="utf-8"))


def publish(cells: list[dict[str, Any]]) -> Any:
    """The table, its verdict computed from the figures."""
    return keep(
        "masking", "Checks for masked gradients",
        [row(cell) for cell in sorted(cells, key=lambda cell: NETS.index(cell["net"]))],
        command="python -m bench.masking", n=f"n = {N} test pictures of CIFAR-10", seeds=[SEED],
        units=dict.fromkeys(("ACC", "PGD-20", "PGD-100, 5 restarts", "transfer", "AutoAttack"), "%"),
        machine=machines(cells, "nets"),
        note="Share of all pictures that are right, under Linf 8/255. transfer: under the examples of PGD-20 on "
        f"cifar10-{surrogate_of('at')}, for TRADES on cifar10-{surrogate_of('trades')}. masked: where more steps lower "
        f"it by more than {100 * FELL:.0f} points, or transfer does better than the net's own attack.",
    )  # fmt: skip


def row(cell: dict[str, Any]) -> dict[str, Any]:
    """A net's line of the table."""
    figures = {name: value for name, value in cell.items() if name != "hardware"}
    return figures | {"net": f"cifar10-{cell['net']}", "masked": masked(cell)}


def surrogate_of(net: str) -> str:
    """Where the transferred examples come from: a net that was trained in another way."""
    return "at-awp" if net.startswith("trades") else "trades"


def measured(net: str) -> dict[str, Any]:
    """A net's figures."""
    model, surrogate = (models.load(f"zoo:cifar10-{name}").to(best_device()) for name in (net, surrogate_of(net)))
    data = load_data("cifar10", "test", limit=N).to(best_device())
    found: dict[str, Any] = {"net": net, "ACC": evaluate(model, data).acc}
    found["PGD-20"] = 1 - _success(PGD(eps=EPS, steps=20), model, data)
    found["PGD-100, 5 restarts"] = 1 - _success(PGD(eps=EPS, steps=100, restarts=5), model, data)
    there = finish(PGD(eps=EPS, steps=20, stop_early=False).run(surrogate, data.pixels, data.labels, seed=SEED))
    found["transfer"] = right(model, data, there.images)
    found["AutoAttack"] = auto_attack(model, data) if net in AUTOATTACKED else None
    return found | {"hardware": hardware()}


def masked(row: dict[str, Any]) -> str:
    """What the figures say of the gradients."""
    fell = row["PGD-20"] - row["PGD-100, 5 restarts"] > FELL
    ahead = row["PGD-20"] - row["transfer"] > AHEAD
    return "yes" if fell or ahead else "no sign"


def right(model: Any, data: ImageSet, images: Any) -> float:
    """Share of `images` that the model gives the labels of `data`."""
    return (predict(model, images).argmax(1) == data.labels).float().mean().item()


def _success(attack: PGD, model: Any, data: ImageSet) -> float:
    return finish(attack.run(model, data.pixels, data.labels, seed=SEED)).success.float().mean().item()


def auto_attack(model: Any, data: ImageSet) -> float:
    """Robust accuracy under the standard AutoAttack of torchattacks."""
    import torchattacks  # type: ignore[import-not-found]

    attack = torchattacks.AutoAttack(model, eps=EPS, n_classes=len(data.class_names), seed=SEED)
    return right(model, data, attack(data.pixels, data.labels))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--only", nargs="+", default=NETS, choices=NETS, metavar="NET", help=", ".join(NETS))
    made.add_argument("--minutes", type=float, default=float("inf"), help="start no net after so many minutes")
    made.add_argument("--publish", action="store_true", help="measure nothing; write the table")
    return made


if __name__ == "__main__":
    main()
