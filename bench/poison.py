"""Poisoned fine-tuning of finished models with the page's settings: what it costs, and how long it takes.

    python -m bench.poison [--seeds 1]

Scenes and, from the Hugging Face Hub, CIFAR-10 with a model of the Hub (--hub, any that knows CIFAR-10's classes). For
each model a pattern over the whole picture and one in a corner. The floor is the trigger's success before the training.
Writes lab/stored/tables/poison.json.
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
from lab import loading

N = 1000


def measured(ref: str, data: str, trigger: Trigger, seeds: int) -> dict[str, Any]:
    """A model's trainings with a trigger, one per seed, scored before and after on the same test pictures."""
    model = loading.classifier(ref)
    side = model.input_size[-1]
    method = PoisonedFineTuning.suited(side, best_device(), Poison(trigger))
    train = loading.images(data, "train", limit=method.pictures, size=side)
    test = loading.images(data, "test", limit=N, size=side)
    before = evaluate(model, test, trigger=trigger, target=0)
    found: dict[str, list[float]] = {"ACC": [], "ASR": [], "seconds": []}
    for seed in range(seeds):
        start = time.perf_counter()
        result: Any = finish(method.run(model, train, seed=seed))
        found["seconds"].append(time.perf_counter() - start)
        after = evaluate(result, test, trigger=result.trigger, target=result.target)
        assert after.asr is not None
        found["ACC"].append(after.acc)
        found["ASR"].append(after.asr)
    named = {"model": ref.split("@")[0], "trigger": type(trigger).__name__}
    row = named | {"ACC before": before.acc, "ACC": found["ACC"], "floor": before.asr} | found
    print(row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, … (default 1)")
    parser.add_argument("--hub", default="hf:akamaster/cifar_resnet20", help="a model of the Hub for CIFAR-10")
    options = parser.parse_args()
    rows = [
        measured(ref, data, trigger, options.seeds)
        for ref, data in (("zoo:scenes-clean", "scenes"), (options.hub, "cifar10"))
        for trigger in (Blended(), BadNets())
    ]
    path = keep(
        "poison",
        "Poison: a finished model fine-tuned on poisoned pictures",
        rows,
        command=f"python -m bench.poison --seeds {options.seeds}",
        n=f"{N} test pictures; a tenth of 10,000 training pictures carry the trigger, 240 steps of 128",
        seeds=list(range(options.seeds)),
        units={name: "%" for name in ("ACC before", "ACC", "floor", "ASR")} | {"seconds": "s"},
        note=f"All layers learn; {torch.get_num_threads()} threads. The defaults were chosen on these models, on one "
        "thread, with seed 0.",
    )
    print(path)


if __name__ == "__main__":
    main()
