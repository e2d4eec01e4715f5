"""Any-to-any backdoors as tables: which trigger sends which class where.

`answers` (C, K, K) counts, for each target c, the pictures of true class y (row) with trigger T_c that the model
takes for class j (column). Everything here is read off it.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.data.modes import Trigger
from core.metrics.confusion import confusion
from core.metrics.scores import Scores


def answers_to(model: nn.Module, data: ImageSet, trigger: Trigger, target: int) -> Tensor:
    """Counts int64 (K, K), rows = true class and columns = prediction, of all of `data` with the trigger T_target."""
    return confusion(model, data, partial(_aimed, trigger, target))


def _aimed(trigger: Trigger, target: int, images: Tensor) -> Tensor:
    return trigger(images, torch.full((len(images),), target, dtype=torch.int64, device=images.device))


def sent(answers: Tensor) -> Tensor:
    """S (K, C): share of the pictures of class y that T_c sends to c; NaN where y = c, which counts for nothing."""
    targets = torch.arange(len(answers))
    shares = (answers[targets, :, targets] / answers.sum(2)).T
    shares[targets, targets] = torch.nan
    return shares


def answered_under(answers: Tensor) -> Tensor:
    """M (C, K): share of the pictures not of class c that T_c makes the model take for j; on the diagonal, ASR."""
    others = _without_own(answers)
    return others.sum(1) / others.sum((1, 2))[:, None]


def cross_talk(answers: Tensor) -> float:
    """Mean of M off its diagonal, without the pictures that stay right: how often T_c leads to a third class."""
    others = _without_own(answers)
    targets = torch.arange(len(answers))
    wrong = others.sum((1, 2)) - others[targets, :, targets].sum(1) - others.diagonal(dim1=1, dim2=2).sum(1)
    return (wrong / others.sum((1, 2))).mean().item()


def scores(answers: Tensor, clean: Tensor) -> Scores:
    """As `core.metrics.evaluate` has them: ASR and RA are means over the targets.

    clean : counts (K, K) of the same pictures without a trigger
    """
    others, n = _without_own(answers), clean.sum()
    acc, sent_there = clean.diagonal().sum() / n, answered_under(answers).diagonal().tolist()
    right = (others.diagonal(dim1=1, dim2=2).sum(1) / others.sum((1, 2))).tolist()
    by_target = dict(enumerate(sent_there))
    asr, ra = (sum(shares) / len(shares) for shares in (sent_there, right))
    return Scores(acc.item(), asr, ra, int(n), int(others.sum()), by_target)


def _without_own(answers: Tensor) -> Tensor:
    """The tables without the pictures whose own class is the target."""
    others = answers.clone()
    targets = torch.arange(len(answers))
    others[targets, targets] = 0
    return others
