"""Whom else an example fools: a table of examples against models, and what resizing for a model costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.inputs.regional.regional import fitted, other_size
from core.device import dtype_of
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run


@dataclass(frozen=True)
class Transfer:
    """What `transfer` found.

    fooled : (E, J), the share of judge j's n[j] pictures whose example of row e it answers wrongly; NaN where n is 0
    n : int64 (J,), pictures that judge j, and the source, answer rightly without a change
    """

    fooled: Tensor
    n: Tensor


def transfer(
    judges: Sequence[nn.Module], images: Tensor, examples: Sequence[Tensor], labels: Tensor, *, right: Tensor
) -> Run[Transfer]:
    """Ask every judge about E sets of examples of the same images (N, C, H, W), each resized to its `input_size`.

    right : bool (N,), images that the source of the examples answers rightly. Of these a column counts those that
        its judge answers rightly too: the same pictures in every row, whether or not an attack succeeded on them.

    Raises ValueError for a judge of another number of classes than the first.
    """
    counted, shares, classes = [], [], 0
    for step, judge in enumerate(judges, start=1):
        logits = require_finite(predict(judge, fitted(judge, torch.cat([images, *examples]))))
        classes = classes or logits.shape[1]
        if logits.shape[1] != classes:
            raise ValueError(
                f"The first model knows {classes} classes and model {step} {logits.shape[1]}; transfer can only be "
                "judged between models of the same classes."
            )
        wrong = logits.argmax(1).cpu().view(-1, len(images)) != labels.cpu()
        mine = right.cpu() & ~wrong[0]
        counted.append(mine.sum())
        shares.append(wrong[1:, mine].double().mean(1))
        yield Progress("transfer", step, len(judges))
    return Transfer(torch.stack(shares, 1), torch.stack(counted))


@dataclass(frozen=True)
class ResizeCost:
    """Share of n pictures whose example fools the judge, resized to its input size and as it is."""

    resized: float
    unresized: float
    n: int


def resize_cost(
    judge: nn.Module, images: Tensor, adversarial: Tensor, labels: Tensor, *, right: Tensor
) -> ResizeCost | None:
    """What resizing to the judge's input size costs an attack, over the images that are `right`, bool (N,), and that
    the judge answers rightly in both sizes.

    None where the sizes agree, and for a judge that takes no images of another size.
    """
    if other_size(judge, images) is None:
        return None
    both = torch.cat([images, adversarial])
    try:
        as_it_is = predict(judge, both.to(dtype_of(judge)))
    except (RuntimeError, ValueError):  # layers that are made for one size
        return None
    answers = predict(judge, fitted(judge, both)), as_it_is
    wrong = [each.argmax(1).cpu().view(2, -1) != labels.cpu() for each in answers]
    kept = right.cpu() & ~wrong[0][0] & ~wrong[1][0]
    resized, plain = (each[1][kept].double().mean().item() for each in wrong)
    return ResizeCost(resized, plain, int(kept.sum()))
