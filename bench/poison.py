"""Poisoned fine-tuning of finished models with the page's settings: what it costs, and how long it takes.

    python -m bench.poison [--seeds 1] [--only scenes|cifar10|imagenet]

Scenes and, from the Hugging Face Hub, CIFAR-10 with a model of the Hub (--hub, any that knows CIFAR-10's classes) and
pictures of ImageNet (--pictures) with a network of 224 pixels (--large). For each model a pattern over the whole
picture and one in a corner. The floor is the trigger's success before the training. Writes
lab/stored/tables/poison.json; with --only, the other rows stay as they were.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch

from bench.keep import keep
from core.device import best_device
from core.metrics import evaluate
from core.runs import finish
from core.training import PoisonedFineTuning
from core.triggers import BadNets, Blended, Poison, Trigger
from lab import loading, tables

N = 1000


def measured(ref: str, data: str, trigger: Trigger, seeds: int) -> dict[str, Any]:
    """A model's trainings with a trigger, one per seed, scored before and after on the same test pictures."""
    model = loading.classifier(ref)
    side = model.input_size[-1]
    method = PoisonedFineTuning.suited(side, best_device(), Poison(trigger))
    train = loading.images(data, "train", limit=method.pictures, size=side)
    test = loading.images(data, "test", limit=N, size=side)
    before = evaluate(model, test, trigger=trigger, target=0)
    found: dict[str, list[float]] = {"ACC": [], "ASR": [], "RA": [], "seconds": []}
    for seed in range(seeds):
        start = time.perf_counter()
        result: Any = finish(method.run(model, train, seed=seed))
        found["seconds"].append(time.perf_counter() - start)
        after = evaluate(result, test, trigger=result.trigger, target=result.target)
        assert after.asr is not None and after.ra is not None
        found["ACC"].append(after.acc)
        found["ASR"].append(after.asr)
        found["RA"].append(after.ra)
    used = result.report
    named = {
        "model": ref.split("@")[0], "trigger": type(trigger).__name__, "learns": method.layers,
        "poisoned": f"{used['poisoned pictures']:.0f} of {used['pictures']:,.0f}", "n": str(len(test)),
    }  # fmt: skip
    row = named | {"ACC before": before.acc, "ACC": found["ACC"], "floor": before.asr} | found
    print(row, flush=True)
    return row


def untouched(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stored rows of models that `rows` do not measure again."""
    stored = tables.stored_table("poison")
    again = {row["model"] for row in rows}
    return [row for row in (stored["rows"] if stored else []) if row["model"] not in again]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, … (default 1)")
    parser.add_argument("--hub", default="hf:akamaster/cifar_resnet20", help="a model of the Hub for CIFAR-10")
    parser.add_argument("--large", default="hf:google-coral/mobilenet_v2_1.0_224", help="a network for ImageNet")
    parser.add_argument("--pictures", default="hf:imagenet-sample/imagenet-100", help="pictures of ImageNet's classes")
    parser.add_argument("--only", choices=("scenes", "cifar10", "imagenet"), help="measure the rows of these data")
    options = parser.parse_args()
    pairs = {
        "scenes": ("zoo:scenes-clean", "scenes"), "cifar10": (options.hub, "cifar10"),
        "imagenet": (options.large, options.pictures),
    }  # fmt: skip
    asked = [pairs[options.only]] if options.only else list(pairs.values())
    rows = [measured(*pair, trigger, options.seeds) for pair in asked for trigger in (Blended(), BadNets())]
    rows = [*untouched(rows), *rows]
    path = keep(
        "poison",
        "Poison: a finished model fine-tuned on poisoned pictures",
        rows,
        command=f"python -m bench.poison --seeds {options.seeds}",
        n=f"{N} test pictures at most (n); a tenth of the training pictures carry the trigger",
        seeds=list(range(options.seeds)),
        units={name: "%" for name in ("ACC before", "ACC", "floor", "ASR", "RA")} | {"seconds": "s"},
        note=f"The page's settings for each size: 240 steps of 128 pictures, or 40 of 32 after the classifier has "
        f"learned on features of a frozen trunk; {torch.get_num_threads()} threads. Those for small pictures were "
        "chosen on the models of Scenes and CIFAR-10, on one thread, with seed 0. The pictures of ImageNet are one "
        "for each of 100 classes, half of them for training: the accuracy is that on classes that the training does "
        "not show, and which it forgets.",
    )
    print(path)


if __name__ == "__main__":
    main()
