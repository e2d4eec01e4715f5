"""What every attack on inputs starts from: checked inputs, loss, gradient, chunks, trace, pictures."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.adversarial import Adversarial, norms_of
from core.finite import require_finite
from core.inputs import class_indices, classes_of, ready
from core.metrics import predict
from core.modes import frozen
from core.runs import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """An attack's inputs after checking, on the model's device.

    images : x, (N, C, H, W) in [0, 1]
    labels : y, int64 (N,)
    goal : the class to leave or to reach, int64 (N,)
    sign : +1 to leave the goal (untargeted), -1 to reach it (targeted)
    mask : where pixels may change, bool (N, 1, H, W), or None for everywhere
    classes : K
    """

    images: Tensor
    labels: Tensor
    goal: Tensor
    sign: int
    mask: Tensor | None
    classes: int

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor | slice) -> Problem:
        mask = None if self.mask is None else self.mask[index]
        return dataclasses.replace(
            self, images=self.images[index], labels=self.labels[index], goal=self.goal[index], mask=mask
        )

    def loss(self, logits: Tensor) -> Tensor:
        """What the attacker raises, (N,): cross-entropy of the class to leave, or minus that of the one to reach."""
        return self.sign * F.cross_entropy(logits, self.goal, reduction="none")

    def margin(self, logits: Tensor) -> Tensor:
        """How far the attack is from success, in logits (N,): negative once it is there."""
        own = logits.gather(1, self.goal[:, None])
        others = logits.scatter(1, self.goal[:, None], -torch.inf).amax(1)
        return self.sign * (own[:, 0] - others)

    def solved(self, logits: Tensor) -> Tensor:
        """bool (N,): the goal is left, or reached."""
        return (logits.argmax(1) == self.goal) == (self.sign < 0)

    def allowed(self, change: Tensor) -> Tensor:
        """`change` (N, C, H, W) with zeros where the mask forbids any."""
        return change if self.mask is None else change.masked_fill(~self.mask, 0)


def pose(
    model: nn.Module, images: Tensor, labels: Tensor, target: int | Tensor | None, mask: Tensor | None
) -> Problem:
    """Check an attack's inputs; ValueError says in one sentence what is wrong.

    target : None for an untargeted attack, else a class or one class per image (N,)
    mask : bool (N or 1, H, W), True where pixels may change
    """
    images = ready(model, images)
    n, classes = len(images), classes_of(model, images)
    labels = class_indices(labels, "labels", n, classes, images.device)
    goal = labels if target is None else class_indices(target, "target", n, classes, images.device)
    if mask is not None:
        mask = checked_mask(mask, images)
    return Problem(images, labels, goal, 1 if target is None else -1, mask, classes)


def checked_mask(mask: Tensor, images: Tensor) -> Tensor:
    """A mask bool (N or 1, H, W) as (N, 1, H, W) on the images' device."""
    n, (height, width) = len(images), images.shape[2:]
    if mask.dtype != torch.bool or mask.shape not in ((n, height, width), (1, height, width)):
        raise ValueError(
            f"mask must be bool with shape ({n} or 1, {height}, {width}) to fit the images, "
            f"not {mask.dtype} {tuple(mask.shape)}."
        )
    return mask.to(images.device)[:, None].expand(n, 1, height, width)


def gradient(model: nn.Module, images: Tensor, loss: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and the gradient (N, C, H, W) of the summed `loss(logits)` (N,), from one pass.

    The sum, not the mean: dividing by N can flush the tiny gradients of confident images to zero.
    The model is frozen for this pass only, so that it stands as it was found at every yield.
    """
    with frozen(model), torch.enable_grad():
        x = images.detach().contiguous(memory_format=torch.channels_last).requires_grad_(True)
        logits = model(x)
        if not logits.requires_grad:
            raise ValueError("The model gives no gradient to its input, so a gradient attack cannot run on it.")
        (slope,) = torch.autograd.grad(loss(logits).sum(), x)
    return logits.detach(), slope


def trace(part: Problem, logits: Tensor, **shares: Tensor) -> dict[str, float]:
    """Mean loss and margin of the images under attack, and other numbers (), in one device round trip."""
    numbers = [part.loss(logits).mean(), part.margin(logits).mean(), *shares.values()]
    values = torch.stack([number.float() for number in numbers]).tolist()
    require_finite(torch.tensor(values[0]))
    return dict(zip(["loss", "margin", *shares], values, strict=True))


def measured(model: nn.Module, part: Problem, images: Tensor, steps: Tensor, queries: Tensor) -> Adversarial:
    """The result for `images`, with success asked of the model once more."""
    success = part.solved(require_finite(predict(model, images)))
    return Adversarial(images, success, success, norms_of(part.images, images), steps, queries)


def joined(parts: list[Adversarial]) -> Adversarial:
    """Results of consecutive chunks as one; reports are joined where they hold a value per image."""
    first = parts[0]
    report = {
        name: torch.cat([part.report[name] for part in parts]) if isinstance(value, Tensor) else value
        for name, value in first.report.items()
    }
    return Adversarial(
        torch.cat([part.images for part in parts]),
        torch.cat([part.success for part in parts]),
        torch.cat([part.source_success for part in parts]),
        {name: torch.cat([part.norms[name] for part in parts]) for name in first.norms},
        torch.cat([part.steps for part in parts]),
        torch.cat([part.queries for part in parts]),
        report,
    )


def in_chunks(attack: Callable[[slice], Run[T]], images: Tensor) -> Run[list[T]]:
    """Run `attack(slice)` over consecutive slices of the images and collect the results.

    On a CPU a slice is small enough for a step to take well under a second on the nets of the lab.
    When the device runs out of memory the slice is halved and started again. Steps are counted over
    all slices; pictures are passed on from the first slice only, so that they always show one image.
    """
    n, pixels = len(images), images.shape[2] * images.shape[3]
    size = 512 if images.device.type == "cuda" else max(1, min(128, 400_000 // pixels))
    results: list[T] = []
    start = 0
    while start < n:
        try:
            result = yield from _counted(attack(slice(start, start + size)), start, n, size)
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = max(1, size // 2)
            continue
        results.append(result)
        start += size
    return results


def _counted(run: Run[T], start: int, n: int, size: int) -> Run[T]:
    """One slice's run, with its progress told as part of the whole."""
    before, after = -(-start // size), -(-(n - start) // size)
    try:
        while True:
            progress = next(run)
            yield dataclasses.replace(
                progress,
                step=before * progress.total + progress.step,
                total=(before + after) * progress.total,
                images=progress.images if start == 0 else {},
            )
    except StopIteration as end:
        return end.value
    finally:
        run.close()


class Camera:
    """Pictures of the first image, at most every `pause` seconds: copying at each step would slow small nets."""

    def __init__(self, pause: float = 0.25):
        self.pause, self.last = pause, -float("inf")

    def __call__(self, images: Tensor, adversarial: Tensor) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Pictures "adversarial" and "perturbation" (C, H, W) on the CPU, and the metric "magnification".

        The perturbation is drawn around grey and scaled until its largest value fills the range; the
        factor belongs beside the picture. Both are empty when it is too soon for another picture.
        """
        if time.monotonic() - self.last < self.pause:
            return {}, {}
        self.last = time.monotonic()
        clean, now = images[0].detach().cpu(), adversarial[0].detach().cpu().clone()
        picture, factor = magnified(now - clean)
        return {"adversarial": now, "perturbation": picture}, {"magnification": factor}


def magnified(change: Tensor) -> tuple[Tensor, float]:
    """A change (..., H, W) as a picture 0.5 + k·change in [0, 1], and the magnification k (1 for no change)."""
    largest = change.abs().max().item()
    factor = 0.5 / largest if largest > 0 else 1.0
    return (0.5 + factor * change).clamp(0, 1), factor
