"""The shipped networks that compare mixers: accuracy, calibration, corruptions, occlusion, PGD, and what layers keep.

    python -m bench.mixing [--n 500]

Scores zoo:cifar10-unmixed, -mixup, -cutmix and -fmix, those of them that ship, on the first n test pictures. Accuracies
of further seeds, which do not ship, stand in bench/cells/mixing.json. The table goes to lab/stored/tables/fmix.json.
"""

from __future__ import annotations

import argparse
from typing import Any

from bench import kept
from bench.keep import keep
from core.data import load_data
from core.runs import finish
from lab.kinds.shared.standing import Standing, standing
from models import load, shipped

NETS = ("unmixed", "mixup", "cutmix", "fmix")
EPS, SEVERITY = 1 / 255, 3
FILE = kept.FOLDER / "mixing.json"


def row(net: str, found: Standing | None, more: list[dict[str, Any]]) -> dict[str, Any]:
    """A net's row; accuracies are lists over its seeds, the first of which ships. One that does not ship has a name and
    nothing else."""
    if found is None:
        return {"net": f"cifar10-{net}", "seeds": "none: not trained yet"}
    card = shipped(f"zoo:cifar10-{net}")
    assert card is not None
    others = [cell for cell in more if cell["net"] == net]
    figures = found.figures
    return {
        "net": f"cifar10-{net}", "seeds": ", ".join(str(seed) for seed in range(1 + len(others))),
        "ACC": [card.scores["test"]["acc"], *(cell["test"] for cell in others)],
        "ACC held out": [card.scores["heldout"]["acc"], *(cell["heldout"] for cell in others)],
        "ECE": figures["ece"], "confidence less accuracy": figures["overconfidence"],
        "corrupted": figures["corrupted"], "occluded": figures["occluded"], "PGD": figures["robust"],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=500, help="test pictures (default 500)")
    n, more, rows = parser.parse_args().n, kept.read(FILE), []
    for net in NETS:
        found = None
        if shipped(f"zoo:cifar10-{net}"):
            model = load(f"zoo:cifar10-{net}")
            test = load_data("cifar10", "test", limit=n, size=model.input_size[-1])
            found = finish(standing(model, test, eps=EPS, severity=SEVERITY))
        rows.append(row(net, found, more))
        print(rows[-1], flush=True)
    path = keep(
        "fmix",
        "Mixing on CIFAR-10: 24,000 training pictures, 84 epochs",
        rows,
        command="python -m bench.mixing",
        n=f"ACC over 1,000 test and 5,000 held-out pictures; all else over the first {n} test pictures, of seed 0",
        seeds=[],
        units=dict.fromkeys(
            ("ACC", "ACC held out", "confidence less accuracy", "ECE", "corrupted", "occluded", "PGD"), "%"
        ),
        note="PreAct-ResNet-18 of width 16, trained on an NVIDIA H200 in bfloat16 (without mixing: on one CPU core, "
        "torch 2.14), scored on the hardware above. Where there are several seeds: mean ± standard deviation. One "
        "standard error of an accuracy of 90 % is 0.9 points over 1,000 pictures, 0.4 over 5,000. corrupted: mean "
        f"accuracy under noise, blur, contrast, brightness, pixelation and JPEG, severity {SEVERITY} of 5; occluded: "
        "behind a grey square of a fifth of the picture; PGD: ε = 1/255, 10 steps.",
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
