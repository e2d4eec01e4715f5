"""Two observations behind TSBD: forgetting clean pictures and forgetting the poison change the same channels, and a
backdoor makes neurons more active.

    python -m bench.unlearning [--seeds 3] [--only scenes-*] [--publish]

Each shipped model with a single target unlearns clean pictures as TSBD does, and once more triggered ones with the
target as their label, which is to forget the poison. Measured are Spearman's rank correlation between the channels'
weight changes (NWC) in the two, layer by layer, its mean over the layers, and the activeness of the last layer that
TSBD ranks, as a multiple of that of the clean twin. The control: on the twin, which knows no target, the triggered
pictures keep their own labels. Cells go to bench/cells/unlearning.json as they end; --publish writes
lab/stored/tables/unlearning.json.
"""

from __future__ import annotations

import argparse
import fnmatch
from statistics import fmean
from typing import Any

import torch
from scipy.stats import spearmanr

import models
from bench import kept
from bench.keep import keep, machines
from core.data import ImageSet, load_data
from core.data.modes import single_target, stamped
from core.defenses import TSBD
from core.defenses.repairs.tsbd.weight_change import neuron_weight_change, weight_changes
from core.defenses.shared.unlearning import Unlearned, unlearn
from core.device import hardware
from core.networks.channels import neuron_layers
from core.networks.layout import training_copy
from core.runs import finish
from lab.loading import clean_twin
from models import Classifier

FILE = kept.FOLDER / "unlearning.json"
PICTURES = 500
FIRST = 10
"""Steps over which activeness is compared: about one pass over the pictures, before either model has forgotten."""


def measured(name: str, seed: int) -> dict[str, Any]:
    """A backdoored model beside its clean twin: rank correlations, and the ratio of their activeness."""
    model = models.load(f"zoo:{name}")
    twin = clean_twin(model)
    assert twin is not None, name
    clean = load_data(model.card.data, "defender", limit=PICTURES, seed=seed)
    assert model.trigger is not None and model.target is not None
    pictures = (255 * stamped(model.trigger, clean)).round().to(torch.uint8)
    poison = ImageSet(pictures, torch.full_like(clean.labels, model.target), clean.class_names)
    forgotten, *nwc = changes(model, clean, poison, seed)
    by_twin, *twin_nwc = changes(twin, clean, ImageSet(pictures, clean.labels, clean.class_names), seed)
    active, twin_active = (one.activeness[:FIRST].mean().item() for one in (forgotten, by_twin))
    return {
        "correlation": correlation(*nwc), "clean model correlation": correlation(*twin_nwc),
        "activeness": active / twin_active,
    }  # fmt: skip


NWC = dict[str, torch.Tensor]


def changes(model: Classifier, clean: ImageSet, poisoned: ImageSet, seed: int) -> tuple[Unlearned, NWC, NWC]:
    """Clean unlearning; by layer the channels' weight change in it, and in unlearning `poisoned`."""
    original = training_copy(model, clean.images)
    forgotten = [unlearned(original, data, seed) for data in (clean, poisoned)]
    first, second = (neuron_weight_change(weight_changes(original, one.model)) for one in forgotten)
    return forgotten[0], first, second


def unlearned(model: torch.nn.Module, data: ImageSet, seed: int) -> Unlearned:
    """TSBD's unlearning, with the lab's settings."""
    tsbd = TSBD()
    run = unlearn(
        model, data, lr=tsbd.unlearn_lr, steps=tsbd.unlearn_steps, stop=tsbd.unlearn_until, batch_size=tsbd.batch_size,
        flip=tsbd.flip, pad=tsbd.pad, watched=neuron_layers(model)[-1], generator=torch.Generator().manual_seed(seed),
    )  # fmt: skip
    return finish(run)


def correlation(first: NWC, second: NWC) -> float | None:
    """Spearman's rank correlation of the channels of each layer, mean over the layers; None where nothing changed,
    since a batch of triggered pictures was not answered with the target to begin with."""
    if not all(change.any() for changes in (first, second) for change in changes.values()):
        return None
    return fmean(float(spearmanr(first[layer].numpy(), second[layer].numpy()).statistic) for layer in first)


def names(pattern: str) -> list[str]:
    """Shipped models that have a backdoor with a single target, and a clean twin."""
    refs = [card.ref for card in models.available() if card.backdoored]
    wanted = [name for ref in refs if fnmatch.fnmatchcase(name := ref.removeprefix("zoo:"), pattern)]
    return [name for name in wanted if single_target(models.load(f"zoo:{name}").mode or "")]


def publish(cells: list[dict[str, Any]]) -> None:
    """The table: a row for each model, with a list over the seeds that all of them have."""
    by_model: dict[str, dict[int, dict[str, Any]]] = {}
    for cell in cells:
        by_model.setdefault(cell["model"], {})[cell["seed"]] = cell
    seeds = sorted(set.intersection(*(set(of) for of in by_model.values())))
    columns = "correlation", "clean model correlation", "activeness"
    rows = [{"model": name} | {column: over_seeds([of[seed][column] for seed in seeds]) for column in columns}
            for name, of in sorted(by_model.items())]  # fmt: skip
    keep(
        "unlearning", "What unlearning changes, with a backdoor and without", rows,
        command="python -m bench.unlearning", n=f"{PICTURES} pictures of the defender's, clean and triggered",
        seeds=seeds, machine=machines([cell for cell in cells if cell["seed"] in seeds], "measurements"),
        note="correlation: Spearman's rank correlation of the channels' weight changes in clean and in poison "
        "unlearning, mean over the layers. clean model correlation: on the clean twin, where the triggered pictures "
        "keep their own labels. activeness: sum of the absolute gradients of a channel of the last ranked layer, mean "
        f"over its channels and the first {FIRST} steps, as a multiple of the clean twin's. No defense sees triggered "
        "pictures; this looks at what a defense relies on.",
    )  # fmt: skip


def over_seeds(values: list[float | None]) -> list[float] | None:
    """The values over the seeds; None where one is missing."""
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default 3)")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="of the models' names")
    parser.add_argument("--publish", action="store_true", help="measure nothing, write the table")
    arguments = parser.parse_args()
    cells = kept.read(FILE)
    known = {(cell["model"], cell["seed"]) for cell in cells}
    backdoored = [] if arguments.publish else names(arguments.only)
    for name, seed in [(name, seed) for seed in range(arguments.seeds) for name in backdoored]:
        if (name, seed) not in known:
            cells.append({"model": name, "seed": seed, **measured(name, seed), "hardware": hardware()})
            print(cells[-1], flush=True)
            kept.write(FILE, cells)
    publish(cells)


if __name__ == "__main__":
    main()
