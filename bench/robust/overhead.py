"""What a robust training costs beyond its passes: a step of it against the same passes alone, turn by turn.

    python -m bench.robust.overhead [--threads 2] [--repeats 20]

The bare passes are those that the method cannot do without: a gradient of the pictures for each step of the attack and
a gradient of the weights (two for AWP), in the same precision and memory layout, without an optimiser. On an idle
machine only. Writes lab/stored/tables/overhead.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.interleaved import interleaved
from bench.keep import keep
from bench.robust.nets import ARCHITECTURE
from core.attacks import PGD
from core.data import load_data
from core.device import autocast, device_of
from core.networks.layout import laid_out, training_copy
from core.networks.model_state import frozen
from core.training import AWP, Adversarial
from models.untrained import fresh

BATCH, STEPS, GOAL = 128, 7, "≤ 10 %"


def passes(model: nn.Module, images: Tensor, labels: Tensor, weights: int) -> Callable[[], None]:
    """The bare passes of a step: STEPS gradients of the pictures in eval mode, `weights` ones of the weights."""
    x = laid_out(model, images)

    def loss(pictures: Tensor) -> Tensor:
        with autocast(device_of(model)):
            logits = model(pictures)
        return F.cross_entropy(logits.float(), labels)

    def run() -> None:
        model.eval()
        with frozen(model):
            for _ in range(STEPS):
                pictures = x.detach().requires_grad_(True)
                torch.autograd.grad(loss(pictures), pictures)
        model.train()
        for _ in range(weights):
            loss(x).backward()
        model.zero_grad(set_to_none=True)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="torch threads (default: all)")
    parser.add_argument("--repeats", type=int, default=20, help="steps of each (default 20)")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    data = load_data("scenes", "train", limit=BATCH)
    model = fresh(ARCHITECTURE, data.class_names, (3, 32, 32), data="scenes")
    rows = []
    for name, awp in (("AT", None), ("AT-AWP", AWP(gamma=0.01))):
        method = Adversarial(
            attack=PGD(steps=STEPS), epochs=500, pictures=BATCH, batch_size=BATCH, heldout=0, weight_perturbation=awp
        )
        bare = passes(training_copy(model, data.images), data.pixels, data.labels, weights=1 if awp is None else 2)
        training = method.run(model, data)
        ours, alone = interleaved(partial(next, training), bare, repeats=asked.repeats)
        training.close()
        rows.append({"training": name, "step": ours / 1000, "bare passes": alone / 1000,
                     "overhead": ours / alone - 1, "goal": GOAL})  # fmt: skip
    path = keep(
        "overhead", "What a step of robust training costs beyond its passes", rows,
        command=f"python -m bench.robust.overhead --threads {asked.threads}",
        n=f"medians of {asked.repeats} steps of {BATCH} pictures each, turn by turn, PGD with {STEPS} steps", seeds=[0],
        units={"step": "s", "bare passes": "s", "overhead": "%"},
        note="PreAct-ResNet-18 of width 16 at 32 x 32 pixels. A step includes batch, augmentation, the attack's "
        "projections, and the optimiser.",
    )  # fmt: skip
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
