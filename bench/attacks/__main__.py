"""The attacks beside other libraries: speed, agreement, and robust accuracy under AutoAttack.

    python -m bench.attacks [--n 8] [--model zoo:cifar10-clean]      the table "attacks"
    python -m bench.attacks --autoattack [NET …] [--n 200] [--only ours]     the table "autoattack"
    python -m bench.attacks --universal [--n 100]                    the table "universal-speed"

The first compares every attack with the same one of torchattacks, foolbox and the Adversarial Robustness Toolbox (ART,
`pip install --no-deps adversarial-robustness-toolbox six`), those that are installed, in one process, where they take
turns: time, success, size of the change, pixels; set OMP_NUM_THREADS=1. The second runs the whole AutoAttack and that
of torchattacks on the same pictures: a quarter of an hour for a robust network on an idle core. The third makes one
change for all pictures, ours and ART's, until the same share is fooled: some minutes. What
bench/cells/attacks.json and bench/cells/autoattack.json hold already is not measured again.
"""

from __future__ import annotations

import argparse

import models
from bench.attacks import robust, universal
from bench.attacks.compare import compared
from bench.keep import keep
from core.data import load_data
from core.device import best_device
from core.networks.predictions import predict
from lab.tables import stored_table


def main() -> None:
    arguments = parser().parse_args()
    if arguments.universal:
        print(universal.publish(arguments.n or 100).read_text(encoding="utf-8"))
    elif arguments.autoattack is None:
        speed(arguments.model, arguments.n or 8)
    else:
        only = (robust.OURS, robust.THEIRS) if arguments.only is None else (arguments.only,)
        autoattack(arguments.autoattack or list(robust.NETS), arguments.n or 200, only)


def speed(ref: str, n: int) -> None:
    """The table "attacks"."""
    model, data = models.load(ref).to(best_device()), load_data("cifar10", "test", limit=4 * n).to(best_device())
    right = (predict(model, data.pixels).argmax(1) == data.labels).nonzero()[:n, 0]
    rows = compared(model, data.pixels[right], data.labels[right])
    path = keep(
        "attacks", "Attacks beside other libraries", rows, command="python -m bench.attacks",
        n=f"the first {len(right)} test pictures of CIFAR-10 that {ref} gets right, in one batch",
        seeds=[0], units={"ours": "ms", "theirs": "ms", "success": "%", "their success": "%"},
        note="Processor time of one process with one thread, in which all take turns; the median of the turns counts. "
        "bare passes: as many forward and backward passes of the network as the attack needs, and "
        "a forward pass that judges the result, which FGSM and PGD of torchattacks and ART do without. L2: mean over "
        "the pictures on which both succeed. Pixels are compared in float64. ART takes and returns NumPy arrays, which "
        "its time includes. Left out: Carlini-Wagner of torchattacks, which has no search for c, and of ART, which "
        "takes minutes.",
    )  # fmt: skip
    print(path.read_text(encoding="utf-8"))


def autoattack(nets: list[str], n: int, libraries: tuple[str, ...]) -> None:
    """The table "autoattack"."""
    cells = robust.measure(nets, n, libraries)
    masking = (stored_table("masking") or {"rows": []})["rows"]
    rows = robust.rows(cells, n, {row["net"]: row["AutoAttack"] for row in masking} if n == 200 else {})
    path = keep(
        "autoattack", "AutoAttack beside that of torchattacks", rows, command="python -m bench.attacks --autoattack",
        n=f"the first {n} test pictures of CIFAR-10, the same for both", seeds=[robust.SEED],
        units=dict.fromkeys(("ACC", "ours", "torchattacks"), "%"),
        note="Share of all pictures that are still right under Linf 8/255, standard version. Where no number of "
        "pictures judged otherwise is given, torchattacks' figure is that of the table Checks for masked gradients.",
    )  # fmt: skip
    print(path.read_text(encoding="utf-8"))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--autoattack", nargs="*", metavar="NET", help=f"networks; default: {', '.join(robust.NETS)}")
    made.add_argument("--universal", action="store_true", help="one change for all pictures beside that of ART")
    made.add_argument("--only", choices=(robust.OURS, robust.THEIRS), help="one of the two AutoAttacks")
    made.add_argument("--model", default="zoo:cifar10-clean", help="the network of the table attacks")
    made.add_argument("--n", type=int, help="pictures: 8, 200 for AutoAttack, 100 for a universal change")
    return made


if __name__ == "__main__":
    main()
