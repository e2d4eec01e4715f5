"""What a method that changes a model leaves in a result: examples before and after, and what it reports itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.data import ImageSet
from core.networks.predictions import predict
from core.networks.report import report_of
from lab.kinds.shared.setting import Backdoor, triggered
from lab.results import Result

EXAMPLES = 12
"""Test images whose predictions before and after are listed one by one."""


def examples(result: Result, model: nn.Module, test: ImageSet, backdoor: Backdoor) -> None:
    """The first test images whose class is not the target, with the predictions of both models."""
    assert result.model is not None
    chosen = torch.nonzero(test.labels != (-1 if backdoor.target is None else backdoor.target))[:EXAMPLES, 0]
    shown = test[chosen]
    result.images["original"] = shown.pixels
    result.per_image |= {"index": chosen.tolist(), "label": shown.labels.tolist()}
    views: dict[str, Tensor] = {"": shown.pixels}
    if backdoor.trigger is not None:
        views["/triggered"] = result.images["triggered"] = triggered(shown, backdoor)
    for name, pictures in views.items():
        for moment, net in (("before", model), ("after", result.model)):
            result.per_image[moment + name] = predict(net, pictures).argmax(1).tolist()


def report(result: Result, method: Any, repaired: nn.Module) -> None:
    """What the method says about itself: single numbers as figures, the rule it chose by as a note."""
    for name, value in report_of(repaired).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            result.figures[f"report/{name}"] = float(value)
    rule = getattr(method, "selection", "")
    if rule:
        result.notes["selection"] = "oracle: it peeked at the attack's success" if rule == "oracle" else rule
