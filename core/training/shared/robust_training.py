"""What adversarial trainings share: their data, their knobs, the record of their epochs. Each adds its loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.checks import classes_of, require_classes
from core.networks.layout import training_copy
from core.networks.predictions import predict
from core.optim.batches import batches, steps_per_epoch
from core.optim.ema import Average
from core.optim.gradients import backward_of
from core.optim.objectives import Metrics, Objective, Pass
from core.optim.schedules import TRAININGS as SCHEDULES
from core.optim.train import train_steps
from core.runs import Run
from core.training.shared.augmentation import AUGMENTATIONS, PLAIN, disturbed
from core.training.shared.crafting import MODES
from core.training.shared.records import Record, looks
from core.training.shared.rotation import RotationHead
from core.training.shared.sgd_settings import (
    MOMENTUM,
    check_settings,
    optimiser_of,
    perturbation_of,
    schedule_of,
)
from core.training.single_step import FGSMRS, NFGSM
from core.training.standard import Standard, finished

TEACHER = Standard(epochs=30)
"""How the network is trained that labels the pictures whose own labels are hidden."""
ATTACKS = (PGD, FGSMRS, NFGSM)
SHORTEST = 2
"""Pictures that a training needs at least: batch statistics of a single one say little."""


@dataclass(frozen=True)
class RobustTraining(Method):
    """The frame of an adversarial training: SGD on pictures that are attacked anew in each step.

    1. A batch is drawn, flipped and shifted, x. 2. x' = `craft(x)`, with the weights as they stand. 3. One step down
    `loss(x, x')`, where `weight_perturbation` (AWP, SAM) may take it at other weights.

    Of the pictures that `run` is given, the first `pictures` are used. The last `pseudo_labelled` of those lose their
    labels: a plain training on the labelled ones says them anew, which may be wrong (Carmon et al., NeurIPS 2019). The
    last `heldout` of the labelled ones are never trained on. Robust accuracy on them is measured by `judge` every
    `record_every` epochs; with `early_stop` the weights of the best look come back (Rice et al., ICML 2020).
    """

    attack: Method = knob(PGD(steps=7), help="how the pictures are attacked", paper=PGD(steps=10))
    epochs: int = knob(20, low=0, high=500, step=1, help="passes over the training data", paper=200, primary=True)
    pictures: int = knob(
        2000, low=2, high=1_000_000, step=100, help="pictures that are used, the first ones", paper=50_000
    )
    heldout: int = knob(
        200, low=0, high=10_000, step=50, paper=1000,
        help="pictures that are kept out of the training, for its record; 0: no record",
    )  # fmt: skip
    record_every: int = knob(1, low=1, high=100, step=1, help="epochs between two looks at the pictures held out")
    weight_perturbation: Method | None = knob(
        None, help="where the gradient is taken, if not at the weights: AWP, SAM", primary=True
    )
    early_stop: bool = knob(False, help="keep the epoch that is best on the pictures held out", primary=True)
    craft_mode: str = knob(
        "eval", choices=MODES, paper="train", help="the network's batch norms while pictures are attacked"
    )
    lr: float = knob(0.05, low=1e-4, high=1.0, symbol="η", help="highest learning rate", paper=0.1)
    schedule: str = knob(
        "piecewise", choices=SCHEDULES, paper="piecewise",
        help="piecewise: a tenth of the learning rate after half of the epochs, and again after three quarters",
    )  # fmt: skip
    batch_size: int = knob(64, low=8, high=1024, step=8, help="pictures per step", paper=128)
    momentum: float = knob(MOMENTUM, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    label_smoothing: float = knob(0.0, low=0.0, high=0.9, step=0.05, help="share of a label that all classes divide")
    label_noise: float = knob(
        0.0, low=0.0, high=0.9, step=0.05, help="share of the labels of each batch that are drawn at random"
    )
    augmentation: str = knob(PLAIN, choices=AUGMENTATIONS, help="what is done to pictures before they are attacked")
    rotation: float = knob(
        0.0, low=0.0, high=8.0, step=0.5, help="weight of a second task: to tell by how far a picture was turned"
    )
    pseudo_labelled: int = knob(
        0, low=0, high=1_000_000, step=500, help="how many of the pictures, the last, are labelled by a network"
    )
    ema: float = knob(0.0, low=0.0, high=0.9999, help="how much of the average of the weights stays at each step")
    flip: bool = knob(True, help="mirror half of the pictures")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    judge: Method = knob(PGD(steps=10), help="the attack that robust accuracy is measured by")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_settings(self)
        name = type(self).__name__
        for role, attack in (("attack", self.attack), ("judge", self.judge)):
            if not isinstance(attack, ATTACKS) or getattr(attack, "restarts", 1) > 1:
                raise ValueError(
                    f"{name}.{role} = {attack!r} does not fit into a training; give PGD(...) without restarts, "
                    "FGSMRS(...) or NFGSM(...)."
                )
        if self.early_stop and not self.heldout:
            raise ValueError(f"{name}.early_stop needs pictures that are held out; set heldout to 1 or more.")

    def craft(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """x' for a batch x (N, C, H, W) in [0, 1] with its labels."""
        raise NotImplementedError

    def loss(self, model: nn.Module, images: Tensor, adversarial: Tensor, labels: Tensor) -> Tensor:
        """What a step descends: a mean over the batch, with gradients through everything that it asks of the model."""
        raise NotImplementedError

    def run(self, model: nn.Module, train: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """Train a copy of `model` on `train`.

        Progress: "loss", and after the first epoch "acc" and "robust" on the pictures held out. `report`: "record/…"
        with one value per look, see `Record`, and "best_epoch"; nothing where none are held out.

        Raises ValueError where the model has fewer classes than the data, there are too few pictures, or the loss is
        not finite.
        """
        generator = torch.Generator().manual_seed(seed)
        fit, extra, heldout = self._split(train.to(device_of(model)))
        require_classes(fit.labels, "The labels", classes_of(model, fit.pixels[:1]))
        student = training_copy(model, fit.images)
        if len(extra):
            teacher = yield from TEACHER.run(model, fit, seed=seed)
            fit = joined([fit, dataclasses.replace(extra, labels=predict(teacher, extra.images).argmax(1))])
        per_epoch = steps_per_epoch(fit, self.batch_size)
        schedule = schedule_of(self, self.epochs * per_epoch)
        average = Average(student, self.ema) if self.ema else None
        head = RotationHead(student, fit.images[:1]) if self.rotation else None
        assert isinstance(self.judge, ATTACKS)
        sets = {"train": fit[: len(heldout)], "heldout": heldout}
        record = Record(sets, self.judge, self.early_stop, self.record_every)
        training = train_steps(
            student,
            batches(fit, self.batch_size, generator, flip=self.flip, pad=self.pad, after=disturbed(
                generator, augmentation=self.augmentation, label_noise=self.label_noise, classes=len(fit.class_names)
            )),
            optimiser_of(self, [*student.parameters(), *(head.parameters() if head else ())]),
            schedule,
            self.epochs * per_epoch,
            generator=torch.Generator().manual_seed(seed),
            objective=self._objective(head),
            perturbation=perturbation_of(self, per_epoch),
            after_step=average.step if average else None,
            every=looks(per_epoch),
        )  # fmt: skip
        yield from record.over(training, per_epoch, schedule, average.model if average else None)
        result = average.model if average else student
        if record.best:
            result.load_state_dict(record.best)
        record.write(result)
        return finished(result, None, torch.empty(0, dtype=torch.int64), None)

    def _objective(self, head: RotationHead | None) -> Objective:
        """The loss on pictures that are attacked once per batch, and the second task on the attacked ones."""

        def objective(model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
            adversarial = self.craft(model, images, labels)

            def value(x: Tensor, x_adv: Tensor, y: Tensor) -> Tensor:
                loss = self.loss(model, x, x_adv, y)
                return loss if head is None else loss + self.rotation * head.loss(model, x_adv)

            def one_pass() -> Metrics:
                return {"loss": backward_of(model, value, images, adversarial, labels)}

            return one_pass

        return objective

    def _split(self, train: ImageSet) -> tuple[ImageSet, ImageSet, ImageSet]:
        """The pictures that are trained on, those whose labels are hidden, those held out."""
        used = train[: self.pictures]
        labelled = len(used) - min(self.pseudo_labelled, len(used))
        kept = labelled - min(self.heldout, labelled)
        if kept < SHORTEST:
            raise ValueError(
                f"{type(self).__name__} has {kept} pictures to train on: of {len(used)}, {len(used) - labelled} lose "
                f"their labels and {labelled - kept} are held out; give more pictures, or lower pseudo_labelled or "
                "heldout."
            )
        return used[:kept], used[labelled:], used[kept:labelled]


def joined(sets: Sequence[ImageSet]) -> ImageSet:
    """Several sets of the same classes as one, without masks and concepts."""
    first = sets[0]
    return ImageSet(
        torch.cat([each.images for each in sets]), torch.cat([each.labels for each in sets]), first.class_names,
        origin=first.origin,
    )  # fmt: skip
