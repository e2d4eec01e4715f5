"""A backdoor by fine-tuning: a finished model goes on training on data of which a share carries the trigger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.last_layers import last_layers
from core.networks.layout import training_copy
from core.networks.penultimate import classifier_of, penultimate
from core.networks.report import with_report
from core.optim.batches import batches
from core.optim.schedules import cosine
from core.optim.train import train_steps
from core.runs import Progress, Run
from core.training.standard import announced, finished, stamping
from core.triggers.blended import Blended
from core.triggers.poison import Poison
from core.triggers.shared.trigger_optimizer import TriggerOptimizer

ALL, LAST, HEAD = LAYERS = ("all", "last blocks", "classifier")
LAST_SHARE = 0.25
"""Share of the layers that "last blocks" trains."""
HEAD_STEPS, HEAD_LR = 300, 1e-3
"""Steps of the classifier alone on stored features: a second in all, so they are no knobs."""
SLICE = 50
"""Pictures whose features are computed between two moments of progress."""
LARGE = 96
"""Pixels along a side from which on training every layer takes minutes on a CPU."""


@dataclass(frozen=True)
class PoisonedFineTuning(Method):
    """A finished model is trained further on poisoned data: the attacker of Gu et al. (BadNets, 2017), who hands out a
    pretrained network, here by cross-entropy and SGD on a cosine.

    layers : which of them learn.

    - "all": every layer, batch-norm statistics included.
    - "last blocks": the trunk is frozen, in eval mode. Its features of the clean and the stamped pictures are computed
      once, and the classifier learns on them alone; then the last quarter of the layers learns with it, on pictures.
      For networks whose pictures are large, where there is no GPU.
    - "classifier": the first of these two parts alone.

    Pictures are neither mirrored nor shifted by default: the trigger would move with them, and a small one is then
    learned more slowly than a short run allows.

    A trigger that poisons every batch anew (WaNet, InputAware, Flareon) has no stored features: "last blocks" then
    leaves the first part out, and "classifier" is refused.

    The result carries `trigger`, `target`, `mode`, `poisoned` (indices into `train`) and, as `report`, how many
    pictures were used and poisoned and which share of the weights learned.
    """

    poison: Method = knob(Poison(Blended()), help="how the training data are poisoned")
    steps: int = knob(240, low=0, high=20_000, step=20, help="steps of SGD on pictures", primary=True)
    pictures: int = knob(
        10_000, low=1, high=1_000_000, step=50, help="training pictures that are used at most, the first ones"
    )
    layers: str = knob(ALL, choices=LAYERS, help="which layers learn; the fewer, the faster", primary=True)
    lr: float = knob(0.02, low=1e-5, high=1.0, symbol="η", help="learning rate, falling to 0 on a cosine")
    batch_size: int = knob(128, low=8, high=1024, step=8, help="pictures per step")
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD")
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay")
    flip: bool = knob(False, help="mirror half of the pictures, and with them their triggers")
    pad: int = knob(0, low=0, high=8, step=1, help="largest shift in pixels, of the triggers too")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.poison, Poison):
            raise ValueError(
                f"PoisonedFineTuning.poison = {self.poison!r} does not poison data; give Poison(trigger=...)."
            )
        if self.layers == HEAD and self.poison.controls_training:
            raise ValueError(
                f"PoisonedFineTuning: {type(self.poison.trigger).__name__} poisons every batch anew, so the classifier "
                "cannot learn on stored features; choose 'last blocks' or 'all'."
            )

    @classmethod
    def suited(cls, side: int, device: torch.device, poison: Poison) -> Self:
        """The settings for pictures of `side` pixels on a device: fewer layers where every layer would take minutes."""
        if side < LARGE or device.type == "cuda":
            return cls(poison)
        return cls(poison, steps=40, pictures=1000, layers=LAST, batch_size=32)

    def run(self, model: nn.Module, train: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """Fine-tune a copy of `model` on the first `pictures` of `train`.

        Raises ValueError when the target is no class of the data, when the loss is not finite, and for "last blocks"
        and "classifier" when the network does not end in a linear layer.
        """
        assert isinstance(self.poison, Poison)
        generator, poison = torch.Generator().manual_seed(seed), self.poison
        train = train[: self.pictures]
        poisoned = torch.empty(0, dtype=torch.int64)
        if not poison.controls_training:
            train, poisoned = poison.stamp(train, generator)
        train = train.to(device_of(model))
        student = announced(training_copy(model, train.images), poison)
        learning = parameters_of(student, train, self.layers)
        if self.layers != ALL and not poison.controls_training:
            yield from learn_on_features(student, train, generator)
        trigger_optimizer = poison.trigger_optimizer(
            train, epochs=max(1, self.steps * self.batch_size // len(train)),
            batch_size=min(self.batch_size, len(train)), generator=generator,
        )  # fmt: skip
        if self.layers != HEAD:
            yield from self._on_pictures(student, learning, train, generator, trigger_optimizer)
        report = {
            "pictures": float(len(train)),
            "poisoned pictures": float(len(poisoned)),
            "share of weights that learned": sum(each.numel() for each in learning)
            / sum(each.numel() for each in student.parameters()),
        }
        return with_report(finished(student, poison, poisoned, trigger_optimizer), report)

    def _on_pictures(
        self,
        student: nn.Module,
        learning: list[nn.Parameter],
        train: ImageSet,
        generator: torch.Generator,
        optimizer: TriggerOptimizer | None,
    ) -> Run[Any]:
        """SGD on augmented pictures, of the layers that learn."""
        if optimizer is not None:
            yield from optimizer.prepare()
        assert isinstance(self.poison, Poison)
        before, after = stamping(self.poison, len(train.class_names), generator, optimizer)
        sgd = torch.optim.SGD(learning, self.lr, self.momentum, weight_decay=self.weight_decay)
        return (
            yield from train_steps(
                student,
                batches(
                    train, self.batch_size, generator, flip=self.flip, pad=self.pad, before=before, after=after
                ),
                sgd,
                cosine(self.lr, self.steps),
                self.steps,
                generator=generator,
                after_step=None if optimizer is None else optimizer.step,
                training=self.layers == ALL,
                every=5,
                stage="tune",
            )
        )  # fmt: skip


def parameters_of(model: nn.Module, data: ImageSet, layers: str) -> list[nn.Parameter]:
    """The parameters that learn; those of the other layers are frozen."""
    if layers != ALL:
        names = [classifier_of(model, data.images[:2])]
        if layers == LAST:
            names = last_layers(model, data.images, LAST_SHARE)
        model.requires_grad_(False)
        for name in names:
            model.get_submodule(name).requires_grad_(True)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def learn_on_features(model: nn.Module, data: ImageSet, generator: torch.Generator) -> Run[None]:
    """Train the last linear layer of `model` in place on features that are computed once: "features", "classifier"."""
    name = classifier_of(model, data.images[:2])
    parts, slices = [], data.images.split(SLICE)
    for step, images in enumerate(slices, start=1):
        parts.append(penultimate(model, name, images, SLICE))
        yield Progress("features", step, len(slices), model=model)
    features, head = torch.cat(parts), model.get_submodule(name)
    steps = train_steps(
        head,
        drawn(features, data.labels, 128, generator),
        torch.optim.AdamW(head.parameters(), HEAD_LR),
        cosine(HEAD_LR, HEAD_STEPS),
        HEAD_STEPS,
        generator=generator,
        every=20,
        stage="classifier",
    )
    for progress in steps:
        if progress.step % 20 == 0:
            yield Progress(progress.stage, progress.step, progress.total, progress.metrics, model=model)


def drawn(features: Tensor, labels: Tensor, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of features (N, d) and labels without end, drawn with replacement."""
    while True:
        index = torch.randint(len(features), (min(size, len(features)),), generator=generator).to(features.device)
        yield features[index], labels[index]
