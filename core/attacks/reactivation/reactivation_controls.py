"""The five controls of a re-activation: what the trigger does with the perturbation, and what each does alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.attacks.shared.universal_delta import added
from core.data.imageset import ImageSet
from core.data.modes import Trigger
from core.networks.predictions import predict
from core.runs import Progress, Run

CONTROLS = ("trigger", "noise", "reactivated", "clean_universal", "delta_only")
"""trigger: T(x). noise: T(x) + random signs. reactivated: T(x) + delta. clean_universal: x + delta', found on clean
images. delta_only: x + delta. All of one size eps, all scored on the images whose class is not the target."""

CHUNK = 250


def score_controls(
    model: nn.Module,
    test: ImageSet,
    trigger: Trigger,
    target: int,
    *,
    delta: Tensor,
    clean_delta: Tensor,
    eps: float,
    seed: int,
    stage: str = "score",
) -> Run[tuple[dict[str, float], dict[str, float]]]:
    """ASR and RA of `model` by control: shares of `test` that say the target, and their own class.

    test : images none of which is of the target class
    """
    hits = {name: torch.zeros(2) for name in CONTROLS}
    starts = range(0, len(test), CHUNK)
    generator = torch.Generator().manual_seed(seed)
    for step, start in enumerate(starts, start=1):
        part = test[start : start + CHUNK]
        for name, picture in _views(part.pixels, trigger, delta, clean_delta, eps, generator).items():
            answers = predict(model, picture()).argmax(1)
            hits[name] += torch.tensor([(answers == target).sum().item(), (answers == part.labels).sum().item()])
            yield Progress(stage, step, len(starts))
    shares = {name: (count / len(test)).tolist() for name, count in hits.items()}
    return {name: asr for name, (asr, _) in shares.items()}, {name: ra for name, (_, ra) in shares.items()}


def _views(
    x: Tensor, trigger: Trigger, delta: Tensor, clean_delta: Tensor, eps: float, generator: torch.Generator
) -> dict[str, Callable[[], Tensor]]:
    """The pictures of each control, made when they are asked for."""
    triggered = trigger(x)
    signs = torch.randint(2, x.shape, generator=generator).to(x) * 2 - 1
    return {
        "trigger": lambda: triggered,
        "noise": lambda: added(triggered, eps * signs),
        "reactivated": lambda: added(triggered, delta),
        "clean_universal": lambda: added(x, clean_delta),
        "delta_only": lambda: added(x, delta),
    }
