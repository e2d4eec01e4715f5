"""What every attack on inputs starts from: checked inputs, loss, gradient, trace, result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial, norms_of
from core.networks.checks import class_indices, classes_of, ready, require_finite
from core.networks.layout import laid_out
from core.networks.model_state import frozen
from core.networks.predictions import predict


@dataclass(frozen=True)
class Problem:
    """An attack's inputs after checking, on the model's device.

    images : x, (N, C, H, W) in [0, 1]
    labels : y, int64 (N,)
    goal : the class to leave or to reach, int64 (N,)
    sign : +1 to leave the goal (untargeted), -1 to reach it (targeted)
    mask : where pixels may change, bool (N, 1, H, W), or None for everywhere
    classes : K
    budget : eps of each image, (N, 1, 1, 1), where the attack has one
    rival : the class that an attack on the label aims at for now, int64 (N,), where it aims at one
    """

    images: Tensor
    labels: Tensor
    goal: Tensor
    sign: int
    mask: Tensor | None
    classes: int
    budget: Tensor | None = None
    rival: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor | slice) -> Problem:
        parts: dict[str, Any] = {name: value[index] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return dataclasses.replace(self, **parts)

    @property
    def eps(self) -> Tensor:
        """The budget of each image, (N, 1, 1, 1), in an attack that has one."""
        assert self.budget is not None
        return self.budget

    def loss(self, logits: Tensor) -> Tensor:
        """What the attacker raises, (N,): cross-entropy of the class to leave, or minus that of the one to reach."""
        return self.sign * F.cross_entropy(logits, self.goal, reduction="none")

    def margin(self, logits: Tensor) -> Tensor:
        """How far the attack is from success, in logits (N,): negative once it is there."""
        own = logits.gather(1, self.goal[:, None])
        return self.sign * (own[:, 0] - self.others(logits).amax(1))

    def others(self, logits: Tensor) -> Tensor:
        """The logits (N, K) with that of the goal at minus infinity."""
        return logits.scatter(1, self.goal[:, None], -torch.inf)

    def solved(self, logits: Tensor) -> Tensor:
        """bool (N,): the goal is left, or reached."""
        return (logits.argmax(1) == self.goal) == (self.sign < 0)

    def allowed(self, change: Tensor) -> Tensor:
        """`change` (N, C, H, W) with zeros where the mask forbids any."""
        return change if self.mask is None else change.masked_fill(~self.mask, 0)

    def within(self, moved: Tensor) -> Tensor:
        """`moved` (N, C, H, W) with the images' own pixels where the mask forbids a change."""
        return moved if self.mask is None else torch.where(self.mask, moved, self.images)


def prepare(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    target: int | Tensor | None,
    mask: Tensor | None,
    eps: float | Tensor | None = None,
) -> Problem:
    """Check an attack's inputs; ValueError says in one sentence what is wrong.

    target : None for an untargeted attack, else a class or one class per image (N,)
    mask : bool (N or 1, H, W), True where pixels may change
    eps : a budget for all images, or one for each (N,)
    """
    images = ready(model, images)
    n, classes = len(images), classes_of(model, images)
    labels = class_indices(labels, "labels", n, classes, images.device)
    goal = labels if target is None else class_indices(target, "target", n, classes, images.device)
    if mask is not None:
        mask = checked_mask(mask, images)
    budget = None if eps is None else budgets(eps, images)
    return Problem(images, labels, goal, 1 if target is None else -1, mask, classes, budget)


def budgets(eps: float | Tensor, images: Tensor) -> Tensor:
    """A budget, or one for each image (N,), as (N, 1, 1, 1)."""
    found = torch.as_tensor(eps, device=images.device).to(images.dtype)
    if found.shape not in ((), (len(images),)) or not bool((found >= 0).all() and found.isfinite().all()):
        raise ValueError(f"eps must be one budget per image ({len(images)}), each a number of at least 0.")
    return found.expand(len(images))[:, None, None, None]


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
    with _passed(model, images) as (x, logits):
        (slope,) = torch.autograd.grad(loss(logits).sum(), x)
    return logits.detach(), slope


def gradients(
    model: nn.Module, images: Tensor, values: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (N, K), `values(logits)` (N, k), and their gradients (N, k, C, H, W): one forward pass and k backward.

    Frozen as in `gradient`.
    """
    with _passed(model, images) as (x, logits):
        found = values(logits)
        slopes = [torch.autograd.grad(one.sum(), x, retain_graph=True)[0] for one in found.unbind(1)]
    return logits.detach(), found.detach(), torch.stack(slopes, 1)


@contextmanager
def _passed(model: nn.Module, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The images as a leaf and their logits, whose gradients by the images can be asked for inside."""
    x = laid_out(model, images).detach().requires_grad_(True)
    with frozen(model), torch.enable_grad():
        logits = model(x)
        if not logits.requires_grad:
            raise ValueError("The model gives no gradient to its input, so a gradient attack cannot run on it.")
        yield x, logits


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
