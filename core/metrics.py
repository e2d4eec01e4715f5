"""Scores of backdoored and repaired models: one definition each, fractions in [0, 1].

ASR and RA are counted over the images whose own class is not the target (all-to-all: over all
images whose mapped label differs from their own).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.channels import PAIRS
from core.data.imageset import ImageSet
from core.device import device_of, in_batches
from core.existence import existence
from core.finite import require_finite
from core.modes import frozen
from core.runs import finish

Trigger = Callable[..., Tensor]


@dataclass(frozen=True)
class Scores:
    """What `evaluate` measured.

    acc : share of the clean images classified as their class
    asr : attack success rate, share of the triggered images classified as the target
    ra : robust accuracy, share of the same triggered images classified as their own class
    n, n_asr : number of images behind acc, and behind asr and ra
    by_target : any-to-any only, ASR by target class
    """

    acc: float
    asr: float | None = None
    ra: float | None = None
    n: int = 0
    n_asr: int = 0
    by_target: dict[int, float] = field(default_factory=dict)


def predict(model: nn.Module, images: Tensor, size: int = 500) -> Tensor:
    """Logits (N, K) of images (N, C, H, W), float in [0, 1] or uint8, in eval mode without gradients."""
    device = device_of(model)

    @torch.inference_mode()
    def forward(batch: Tensor) -> Tensor:
        batch = batch.to(device)
        if batch.dtype == torch.uint8:
            batch = batch.float().div_(255)
        return model(batch.contiguous(memory_format=torch.channels_last)).float()

    with frozen(model):
        return in_batches(forward, images, size=size).clone()


def stamped(trigger: Trigger, data: ImageSet, targets: Tensor | None = None, size: int = 500) -> Tensor:
    """`data`'s images with the trigger, float (N, C, H, W) in [0, 1]."""

    @torch.inference_mode()
    def stamp(batch: Tensor, *target: Tensor) -> Tensor:
        return trigger(batch.float().div_(255), *target)

    tensors = (data.images,) if targets is None else (data.images, targets)
    return in_batches(stamp, *tensors, size=size).clone()


def goal(labels: Tensor, mode: str, target: int | None, classes: int) -> Tensor:
    """The label (N,) a backdoor of this mode asks for, given the true labels (N,)."""
    if mode == "all-to-all":
        return (labels + 1) % classes
    if mode in ("all-to-one", "any-to-one"):
        if target is None:
            raise ValueError(f"mode {mode!r} needs a target class.")
        return torch.full_like(labels, target)
    raise ValueError(f"mode {mode!r} is not one of all-to-one, all-to-all, any-to-one, any-to-any.")


def evaluate(
    model: nn.Module,
    data: ImageSet,
    *,
    trigger: Trigger | None = None,
    target: int | None = None,
    mode: str = "all-to-one",
) -> Scores:
    """ACC on `data` and, with a trigger, ASR and RA on its triggered images.

    `trigger` is any callable images -> images in [0, 1]; with mode "any-to-any" it is called with
    `targets` (N,) and the mean over all targets is reported, with `by_target` beside it. Raises
    ValueError for logits that are not finite.
    """
    labels = data.labels.to(device_of(model))
    clean = require_finite(predict(model, data.images)).argmax(1)
    acc = _mean(clean == labels)
    if trigger is None:
        return Scores(acc, n=len(data))
    classes = len(data.class_names)
    if mode == "any-to-any":
        return _any_to_any(model, data, labels, trigger, acc, classes)
    wanted = goal(labels, mode, target, classes)
    scored = wanted != labels
    seen = predict(model, stamped(trigger, data[scored.to(data.images.device)])).argmax(1)
    return Scores(acc, _mean(seen == wanted[scored]), _mean(seen == labels[scored]), len(data), len(seen))


def _any_to_any(
    model: nn.Module, data: ImageSet, labels: Tensor, trigger: Trigger, acc: float, classes: int
) -> Scores:
    asr, ra, n = {}, [], 0
    for target in range(classes):
        others = labels != target
        subset = data[others.to(data.images.device)]
        seen = predict(model, stamped(trigger, subset, torch.full_like(subset.labels, target))).argmax(1)
        asr[target] = _mean(seen == target)
        ra.append(_mean(seen == labels[others]))
        n += len(seen)
    return Scores(acc, sum(asr.values()) / classes, sum(ra) / classes, len(data), n, asr)


def _mean(hits: Tensor) -> float:
    return hits.float().mean().item() if len(hits) else math.nan


def _drops(before: Scores, after: Scores) -> tuple[float, float, float]:
    """Falls of ACC and ASR and rise of RA, each at least 0; ValueError where no trigger was scored."""
    if None in (before.asr, before.ra, after.asr, after.ra):
        raise ValueError("DER and RIR need scores with a trigger; give evaluate a trigger before and after.")
    rises = (before.acc - after.acc, before.asr - after.asr, after.ra - before.ra)  # type: ignore[operator]
    return tuple(max(0.0, rise) for rise in rises)  # type: ignore[return-value]


def der(before: Scores, after: Scores) -> float:
    """Defense effectiveness rating, [max(0, drop in ASR) - max(0, drop in ACC) + 1] / 2.

    1 when ASR falls from 1 to 0 at no cost, 0.5 when nothing happened.
    """
    lost, healed, _ = _drops(before, after)
    return (healed - lost + 1) / 2


def rir(before: Scores, after: Scores) -> float:
    """Robust improvement rating, [max(0, gain in RA) - max(0, drop in ACC) + 1] / 2."""
    lost, _, righted = _drops(before, after)
    return (righted - lost + 1) / 2


def bec(defended: nn.Module, backdoored: nn.Module, clean: nn.Module, data: ImageSet, trigger: Trigger) -> float:
    """Backdoor existence coefficient: 1 for the backdoored model, 0 for the clean one, see `core.existence`.

    At most 2,200 images of `data` rank the channels and the first 500 of those, triggered, are
    compared; leave out the pictures of the target class. Values outside [0, 1] are returned as they are.
    """
    data = data[:PAIRS]
    return finish(existence(defended, backdoored, clean, data.images, stamped(trigger, data))).value


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a share seen in n trials (95 % by default)."""
    if n == 0:
        return 0.0, 1.0
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def confusion(model: nn.Module, data: ImageSet, trigger: Trigger | None = None) -> Tensor:
    """Counts int64 (K, K) with rows = true class and columns = prediction, on (triggered) images."""
    images = data.images if trigger is None else stamped(trigger, data)
    logits = predict(model, images).cpu()
    classes = max(len(data.class_names), logits.shape[1])
    cells = data.labels.cpu() * classes + logits.argmax(1)
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def correct(logits: Tensor, labels: Tensor) -> float:
    """Share of rows of logits (N, K) whose largest entry is the label."""
    return _mean(logits.argmax(1) == labels)
