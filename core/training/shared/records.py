"""The record of a training: how the network stands after its epochs, on pictures it trains on and on others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from core.data.imageset import ImageSet
from core.networks.predictions import predict
from core.networks.report import with_report
from core.optim.schedules import Schedule
from core.runs import Progress, Run
from core.training.shared.crafting import TrainingAttack, crafted

AT_ONCE = 100
"""Pictures that a CPU attacks between two moments of progress."""
SEED = 0
"""Draws the attack's starts, the same ones after every epoch."""


def looks(steps_per_epoch: int) -> int:
    """Steps between two looks at a training's loss: ten, or an epoch where that is shorter, as every row has one."""
    return min(10, max(1, steps_per_epoch))


@dataclass
class Record:
    """What is looked at after an epoch, and what was found.

    sets : "train", pictures that are trained on, and "heldout", pictures that are not; empty ones are not looked at
    attack : the one that robust accuracy is measured by; every picture takes all its steps
    every : epochs between two looks; the last epoch is looked at in any case
    rows : a row per look: "epoch"; "lr" of its last step and "loss", the training's own, when last looked at;
        "seconds" since the start, without those of looking; and for each set its "acc", "robust", and the mean
        cross-entropies "loss" and "robust_loss", in nats, each as "<set>/<name>"
    best : the weights of the epoch with the highest held-out robust accuracy, the first of several, where they are kept
    """

    sets: Mapping[str, ImageSet]
    attack: TrainingAttack
    keep_best: bool = False
    every: int = 1
    rows: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    best_epoch: int = 0

    def over(
        self, run: Run[object], steps_per_epoch: int, schedule: Schedule, watched: nn.Module | None = None
    ) -> Run[None]:
        """The training `run` with the network looked at after its epochs: what `metrics_of` gives stands beside its
        own metrics from then on.

        watched : the network that is looked at, where it is not the one that the run shows: an average of its weights
        """
        started, looking, latest = time.monotonic(), 0.0, dict[str, float]()
        try:
            for step in run:
                progress = dataclasses.replace(step, metrics=step.metrics | latest)
                yield progress
                if not self._due(progress, steps_per_epoch):
                    continue
                before, model = time.monotonic(), progress.model if watched is None else watched
                assert model is not None
                found = yield from examined(model, self.sets, self.attack, progress)
                now = time.monotonic()
                looking += now - before
                head = {
                    "epoch": float(progress.step // steps_per_epoch), "lr": schedule(progress.step)["lr"],
                    "loss": progress.metrics["loss"], "seconds": now - started - looking,
                }  # fmt: skip
                self._add(head | found, model)
                latest = metrics_of(found, int(head["epoch"]))
                yield dataclasses.replace(progress, metrics=progress.metrics | latest)
        finally:
            run.close()

    def _due(self, progress: Progress, steps_per_epoch: int) -> bool:
        """Whether the network is looked at after this step."""
        epochs, rest = divmod(progress.step, steps_per_epoch)
        last = progress.step == progress.total
        return rest == 0 and (epochs % self.every == 0 or last) and len(self.sets["heldout"]) > 0

    def _add(self, row: dict[str, float], model: nn.Module) -> None:
        robust = "heldout/robust"
        if self.keep_best and row[robust] > max((earlier[robust] for earlier in self.rows), default=-1.0):
            self.best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
            self.best_epoch = int(row["epoch"])
        self.rows.append(row)

    def write(self, model: nn.Module) -> None:
        """Put the rows into the model's report, a tensor (looks,) for each name: "record/heldout/robust", …"""
        if self.rows:
            columns = {f"record/{name}": torch.tensor([row[name] for row in self.rows]) for name in self.rows[0]}
            with_report(model, columns | ({"best_epoch": float(self.best_epoch)} if self.best else {}))


def metrics_of(found: Mapping[str, float], epoch: int) -> dict[str, float]:
    """A look as metrics of a Progress: "epoch"; "acc" and "robust" of the pictures held out; those of the pictures that
    are trained on as "train/acc" and "train/robust"."""
    heldout = {name: found[f"heldout/{name}"] for name in ("acc", "robust")}
    return {"epoch": float(epoch)} | heldout | {name: found[name] for name in ("train/acc", "train/robust")}


def examined(
    model: nn.Module, sets: Mapping[str, ImageSet], attack: TrainingAttack, now: Progress
) -> Run[dict[str, float]]:
    """Accuracy and mean cross-entropy of `model` in eval mode on each of the sets, plain and attacked: "acc", "loss",
    "robust", "robust_loss", as "<set>/<name>". Shows the moment `now` of a training again after every part.

    The network is left as it was; random numbers too.
    """
    found: dict[str, float] = {}
    for name, data in sets.items():
        totals = torch.zeros(4)
        size = len(data) if data.images.is_cuda else AT_ONCE
        for part in range(0, len(data), size):
            totals += _sums(model, data[part : part + size], attack)
            yield now
        if len(data):
            keys = (f"{name}/{key}" for key in ("acc", "loss", "robust", "robust_loss"))
            found |= dict(zip(keys, (totals / len(data)).tolist(), strict=True))
    return found


def _sums(model: nn.Module, data: ImageSet, attack: TrainingAttack) -> torch.Tensor:
    """Right answers and summed cross-entropy, plain and attacked: (4,) on the CPU."""
    images, labels = data.pixels, data.labels
    with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
        torch.manual_seed(SEED)
        attacked = crafted(model, attack, images, labels)
    sums = []
    for pictures in (images, attacked):
        logits = predict(model, pictures)
        sums += [(logits.argmax(1) == labels).sum().float(), F.cross_entropy(logits, labels, reduction="sum")]
    return torch.stack(sums).cpu()
