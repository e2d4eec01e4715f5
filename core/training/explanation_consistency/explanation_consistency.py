"""ExplanationConsistency: attack the background by the network's own heatmap, and weigh pictures by what changes."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.data.imageset import ImageSet
from core.device import device_of
from core.explain.consistency.consistency import Consistency
from core.knobs import Method, knob
from core.networks.layout import laid_out, training_copy
from core.networks.report import with_report
from core.optim.batches import batches, steps_per_epoch
from core.optim.gradients import backward_of
from core.optim.objectives import Metrics, Objective, Pass
from core.optim.schedules import TRAININGS as SCHEDULES
from core.optim.train import train_steps
from core.runs import Run
from core.training.explanation_consistency.sample_weights import INCONSISTENT, RULES, Measured, mean_one, measured
from core.training.shared.sgd_settings import MOMENTUM, check_settings, optimiser_of, perturbation_of, schedule_of
from core.training.standard import finished


@dataclass(frozen=True)
class ExplanationConsistency(Method):
    """Training by explanation consistency (Wu, Jiang, Wang, Tang, He, Lin, IEEE Transactions on Multimedia 2024, arXiv
    2408.04600): pictures whose heatmap or answer changes when the background is attacked are hard, and count for more.

        min over w of  sum_i v_i CE(f(x_i), y_i),   v_i = 1 - E(x_i, x^_i)

    1. Warm-up with v = 1. 2. E of all training pictures (`Consistency`), from the pictures as they are, in eval mode.
    3. v' = max(v, floor) over its mean. 4. `refresh` epochs of training, on clean pictures, with v' held fixed: no
    gradient goes through it. Then 2. again. No masks are needed: the foreground is what the network's own heatmap says.

    Only the abstract and summaries could be read: the pair, v = 1 - E, the loss on clean pictures and the alternation
    are from there. Warm-up, floor, mean 1 and intervals are our choice where the paper is silent. A refresh
    costs as much as (steps of the attack + 3) passes over the data.

    `weights` has the controls, which keep everything else: floor, mean 1 and the times of the refreshes. With "1", with
    floor = 1, or where E is 1 throughout, this is `Standard` with the same settings, bit for bit.
    """

    weights: str = knob(
        INCONSISTENT, choices=RULES, help="what a picture counts for: by the method, or a control", primary=True
    )
    consistency: Method = knob(
        Consistency(attack=PGD(eps=2 / 255, alpha=2 / 255, steps=1, stop_early=False)),
        help="how E is found; our choice: an attack that leaves most answers as they are",
    )
    warmup: float = knob(0.2, low=0.0, high=1.0, step=0.05, help="our choice: share of the epochs before E counts")
    refresh: int = knob(
        5, low=1, high=200, step=1, symbol="R", help="our choice: epochs from one measurement of E to the next"
    )
    floor: float = knob(
        0.5, low=0.0, high=1.0, step=0.05, help="our choice: the least v, before the mean is brought to 1"
    )
    epochs: int = knob(15, low=0, high=200, step=1, help="passes over the training data", primary=True)
    lr: float = knob(0.1, low=1e-4, high=1.0, symbol="η", help="highest learning rate")
    batch_size: int = knob(128, low=8, high=1024, step=8, help="pictures per step")
    momentum: float = knob(
        MOMENTUM, low=0.0, high=0.99, step=0.01, help="momentum of SGD; without effect in a one-cycle"
    )
    schedule: str = knob("one-cycle", choices=SCHEDULES, help="how the learning rate goes: see Standard")
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay")
    flip: bool = knob(True, help="mirror half of the pictures")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels")
    weight_perturbation: Method | None = knob(None, help="where the gradient is taken, if not at the weights: SAM, AWP")
    pictures: int = knob(1_000_000, low=1, high=1_000_000, step=100, help="pictures that are used, the first ones")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.consistency, Consistency):
            raise ValueError(
                f"ExplanationConsistency.consistency = {self.consistency!r} measures no E; give Consistency(...)."
            )
        check_settings(self)

    def run(self, model: nn.Module, train: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """Train a copy of `model` on `train`.

        Progress: "loss", and once it is known "consistency", the mean E over the training pictures. `report`, of the
        last refresh: "consistency" E, "similarity" of the maps alone and "weights" v', each (N,) by training picture,
        and "empty", the share of empty heatmaps; "record/consistency" and "record/epoch", one value per refresh.

        Raises ValueError where there is one picture, the network has no convolutional map, or the loss is not finite.
        """
        train = train[: self.pictures].to(device_of(model))
        if len(train) < 2:
            raise ValueError("ExplanationConsistency weighs pictures against each other; give two or more.")
        student, per_epoch = training_copy(model, train.images), steps_per_epoch(train, self.batch_size)
        weights, record = torch.ones(len(train), device=train.images.device), Record()
        training = self._training(student, train, weights, per_epoch, seed)
        try:
            for epoch in range(self.epochs):
                if self.due(epoch):
                    assert isinstance(self.consistency, Consistency)
                    found = yield from measured(self.weights, student, train, self.consistency, seed + epoch)
                    weights.copy_(mean_one(found.v, self.floor))
                    record.add(epoch, found, weights)
                for moment in itertools.islice(training, per_epoch):
                    yield dataclasses.replace(moment, metrics=moment.metrics | record.latest)
            yield from training
        finally:
            training.close()
        return with_report(finished(student, None, torch.empty(0, dtype=torch.int64), None), record.report)

    def due(self, epoch: int) -> bool:
        """Whether E is measured before this epoch, counted from 0."""
        after = epoch - round(self.warmup * self.epochs)
        return after >= 0 and after % self.refresh == 0

    def _training(
        self, student: nn.Module, train: ImageSet, weights: Tensor, per_epoch: int, seed: int
    ) -> Run[dict[str, float]]:
        """The loop over pictures whose label is their place in the set, by which weights are found after shuffling."""
        numbered = dataclasses.replace(train, labels=torch.arange(len(train), device=train.labels.device))
        generator, steps = torch.Generator().manual_seed(seed), self.epochs * per_epoch
        return train_steps(
            student,
            batches(numbered, self.batch_size, generator, flip=self.flip, pad=self.pad),
            optimiser_of(self, student.parameters()),
            schedule_of(self, steps),
            steps,
            generator=torch.Generator().manual_seed(seed),
            objective=weighted(train.labels, weights),
            perturbation=perturbation_of(self, per_epoch),
            every=10,
        )


def weighted(labels: Tensor, weights: Tensor) -> Objective:
    """The mean of v'_i CE(f(x_i), y_i) over a batch whose "labels" are places i; `weights` may change between steps."""

    def objective(model: nn.Module, images: Tensor, places: Tensor) -> Pass:
        own, counts = labels[places], weights[places]

        def value(x: Tensor, y: Tensor, v: Tensor) -> Tensor:
            return (v * F.cross_entropy(model(laid_out(model, x)), y, reduction="none")).mean()

        def one_pass() -> Metrics:
            return {"loss": backward_of(model, value, images, own, counts)}

        return one_pass

    return objective


class Record:
    """What the refreshes found."""

    def __init__(self) -> None:
        self.report: dict[str, Tensor | float] = {}
        self.latest: dict[str, float] = {}
        self._epochs: list[float] = []
        self._means: list[float] = []

    def add(self, epoch: int, found: Measured, weights: Tensor) -> None:
        """Note a refresh before an epoch."""
        self.report["weights"] = weights.cpu().clone()
        if found.found is None:
            return
        e = found.found
        self._epochs.append(float(epoch))
        self._means.append(e.consistency.mean().item())
        self.latest = {"consistency": self._means[-1]}
        self.report |= {
            "consistency": e.consistency, "similarity": e.similarity, "empty": e.empty.double().mean().item(),
            "record/epoch": torch.tensor(self._epochs), "record/consistency": torch.tensor(self._means),
        }  # fmt: skip
