"""Clean unlearning: gradient ascent on clean images, in steps, until the model has forgotten.

Stage 1 of TSBD (Lin et al., NeurIPS 2024, arXiv 2405.20291). The weights that move most while
clean data are forgotten are those that move when the backdoor is forgotten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.networks.channels import weight_of
from core.networks.model_state import working_copy
from core.optim.batches import batches
from core.optim.objectives import Metrics, Pass, ascent, supervised
from core.optim.schedules import Schedule, constant
from core.optim.train import train_steps
from core.runs import Progress, Run


@dataclass(frozen=True)
class Unlearned:
    """What unlearning leaves behind.

    model : a copy with the weights after the last good step
    steps : how many steps were taken
    accuracy : on the last batch that was seen
    activeness : (steps, channels of `watched`), sum of abs(gradient) over each channel's weights
    """

    model: nn.Module
    steps: int
    accuracy: float
    activeness: Tensor


def unlearn(
    model: nn.Module,
    data: ImageSet,
    *,
    lr: float,
    steps: int,
    stop: float,
    batch_size: int,
    flip: bool,
    pad: int,
    watched: str,
    generator: torch.Generator,
    schedule: Schedule | None = None,
) -> Run[Unlearned]:
    """Maximise the cross-entropy on a copy of `model`: SGD, momentum 0.9, training mode.

    Images come in the order of `data`, augmented. The ascent ends after `steps` steps, when the
    accuracy on a batch is `stop` or less, or when the loss is no longer finite; in that case the
    weights of the last finite loss are kept, since ascent diverges sooner or later. `watched`
    names the layer whose activeness is recorded; `schedule` is that of the learning rate, constant by default.
    """
    student = working_copy(model)
    forgetting = Forgetting(student, watched, stop)
    yield from train_steps(
        student,
        batches(data, batch_size, generator, flip=flip, pad=pad, shuffle=False),
        torch.optim.SGD(student.parameters(), lr, momentum=0.9),
        schedule or constant(lr),
        steps,
        generator=generator,
        objective=forgetting,
        until=forgetting.over,
        stage="unlearn",
    )
    if forgetting.accuracy <= stop:
        taken = len(forgetting.activeness)
        yield Progress("unlearn", taken, taken, forgetting.metrics, model=student)
    return forgetting.result()


class Forgetting:
    """An objective, gradient ascent on the cross-entropy, that remembers what unlearning is asked about.

    accuracy : on the last batch with a finite loss, nan before the first
    activeness : of the channels of `watched`, step by step
    metrics : of the last step: "loss", "accuracy", "activeness" (mean over the channels)
    """

    def __init__(self, model: nn.Module, watched: str, stop: float):
        self.model, self.layer, self.stop = model, weight_of(model, watched), stop
        self.accuracy, self.activeness, self.metrics = math.nan, list[Tensor](), dict[str, float]()
        self._good: list[Tensor] = []
        self._active = torch.zeros(len(self.layer))

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        hits: list[Tensor] = []

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            hits.append((logits.argmax(1) == labels).float())
            return F.cross_entropy(logits, labels)

        one_pass = ascent(supervised(loss))(model, images, labels)

        def forget() -> Metrics:
            hits.clear()
            metrics = one_pass()
            self._active = activeness_of(self.layer)
            return metrics | {"accuracy": torch.cat(hits).mean(), "activeness": self._active.mean()}

        return forget

    def over(self, metrics: dict[str, float]) -> bool:
        """Whether the ascent ends before the step that has these metrics: it has diverged, or forgotten enough."""
        if not math.isfinite(metrics["loss"]):
            return True
        self.metrics, self.accuracy = metrics, metrics["accuracy"]
        self._good = [weight.detach().clone() for weight in self.model.parameters()]
        self.activeness.append(self._active)
        return self.accuracy <= self.stop

    def result(self) -> Unlearned:
        """What is left when the ascent has ended: after divergence, at the weights of the last finite loss."""
        weights = list(self.model.parameters())
        if self._good and not all(torch.isfinite(weight).all() for weight in weights):
            with torch.no_grad():
                for weight, value in zip(weights, self._good, strict=True):
                    weight.copy_(value)
        table = torch.stack(self.activeness).cpu() if self.activeness else torch.zeros(0, len(self.layer))
        return Unlearned(self.model, len(self.activeness), self.accuracy, table)


def activeness_of(weight: nn.Parameter) -> Tensor:
    """Sum of abs(gradient) over the weights of each output channel: (channels,)."""
    return torch.zeros(len(weight)) if weight.grad is None else weight.grad.abs().flatten(1).sum(1)
