"""ACC, ASR and RA of a model: the scores by which backdoors and defenses are judged."""

from __future__ import annotations

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.data.modes import ALL_TO_ONE, Trigger, goal, stamped, trigger_per_class
from core.device import device_of
from core.metrics.any_to_any import answers_to
from core.metrics.any_to_any import scores as any_to_any_scores
from core.metrics.confusion import counted, mean
from core.metrics.scores import Scores
from core.networks.checks import require_finite
from core.networks.predictions import predict


def evaluate(
    model: nn.Module,
    data: ImageSet,
    *,
    trigger: Trigger | None = None,
    target: int | None = None,
    mode: str = ALL_TO_ONE,
) -> Scores:
    """ACC on `data` and, with a trigger, ASR and RA on its triggered images.

    `trigger` is any callable images -> images in [0, 1]; with mode "any-to-any" it is called with
    `targets` (N,) and the mean over all targets is reported, with `by_target` beside it. Raises
    ValueError for logits that are not finite.
    """
    labels = data.labels.to(device_of(model))
    logits = require_finite(predict(model, data.images))
    acc = mean(logits.argmax(1) == labels)
    if trigger is None:
        return Scores(acc, n=len(data))
    classes = len(data.class_names)
    if trigger_per_class(mode):
        answers = [answers_to(model, data[data.labels != c], trigger, c) for c in range(classes)]
        return any_to_any_scores(torch.stack(answers), counted(logits, data))
    wanted = goal(labels, mode, target, classes)
    scored = wanted != labels
    seen = predict(model, stamped(trigger, data[scored.to(data.images.device)])).argmax(1)
    return Scores(acc, mean(seen == wanted[scored]), mean(seen == labels[scored]), len(data), len(seen))
