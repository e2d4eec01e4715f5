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
from core.networks.model_state import train_mode, working_copy
from core.optim.gradients import backward
from core.optim.sgd import batches, seeded
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
) -> Run[Unlearned]:
    """Maximise the cross-entropy on a copy of `model`: SGD, momentum 0.9, training mode.

    Images come in the order of `data`, augmented. The ascent ends after `steps` steps, when the
    accuracy on a batch is `stop` or less, or when the loss is no longer finite; in that case the
    weights of the last finite loss are kept, since ascent diverges sooner or later. `watched`
    names the layer whose activeness is recorded.
    """
    student = working_copy(model)
    weights = list(student.parameters())
    layer = weight_of(student, watched)
    optimiser = torch.optim.SGD(weights, lr, momentum=0.9)
    stream = batches(data, batch_size, generator, flip=flip, pad=pad, shuffle=False)
    hits: list[Tensor] = []
    activeness: list[Tensor] = []
    seen = math.nan
    good: list[Tensor] = []

    def forgetting(logits: Tensor, labels: Tensor) -> Tensor:
        hits.append((logits.argmax(1) == labels).float())
        return -F.cross_entropy(logits, labels)

    train_mode(student)
    for step in range(1, steps + 1):
        images, labels = next(stream)
        hits.clear()
        optimiser.zero_grad(set_to_none=True)
        seed = int(torch.randint(2**31, (), generator=generator))
        with seeded(seed, images.device):
            loss = -backward(student, forgetting, images, labels).item()
        if not math.isfinite(loss):
            break
        seen = torch.cat(hits).mean().item()
        good = [weight.detach().clone() for weight in weights]
        activeness.append(activeness_of(layer))
        if seen > stop:
            optimiser.step()
        metrics = {"loss": loss, "accuracy": seen, "activeness": activeness[-1].mean().item()}
        yield Progress("unlearn", step, steps if seen > stop else step, metrics, model=student)
        if seen <= stop:
            break
    if good and not all(torch.isfinite(weight).all() for weight in weights):
        with torch.no_grad():
            for weight, value in zip(weights, good, strict=True):
                weight.copy_(value)
    optimiser.zero_grad(set_to_none=True)
    table = torch.stack(activeness).cpu() if activeness else torch.zeros(0, len(layer))
    return Unlearned(student.eval(), len(activeness), seen, table)


def activeness_of(weight: nn.Parameter) -> Tensor:
    """Sum of abs(gradient) over the weights of each output channel: (channels,)."""
    return torch.zeros(len(weight)) if weight.grad is None else weight.grad.abs().flatten(1).sum(1)
