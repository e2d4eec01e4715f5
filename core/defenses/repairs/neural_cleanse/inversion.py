"""Trigger inversion: for each class the smallest patch that sends every image there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.repairs.neural_cleanse.mask_cost_schedule import MaskCostSchedule
from core.device import autocast, device_of
from core.networks.layout import laid_out
from core.optim.batches import batches
from core.optim.gradients import Fit, mean_in_parts
from core.runs import Progress, Run


@dataclass(frozen=True)
class Triggers:
    """The smallest trigger found for each of K classes.

    masks : (K, H, W) in [0, 1]
    patterns : (K, C, H, W) in [0, 1]
    success : (K,) share of the images of an epoch it sent to its class; 0 where that was never enough
    """

    masks: Tensor
    patterns: Tensor
    success: Tensor

    @property
    def norms(self) -> Tensor:
        """L1 norm of each mask, (K,): about the number of pixels that it covers."""
        return self.masks.sum((1, 2))


@dataclass(frozen=True)
class Inversion:
    """How triggers are sought: the values of Neural Cleanse's knobs.

    `epochs` of `epoch_steps` steps with `batch_size` images for each class; the schedule of costs
    moves once per epoch, and `wanted` is the success that it asks for.
    """

    epochs: int
    epoch_steps: int
    batch_size: int
    lr: float
    cost: float
    wanted: float
    patience: int

    def run(self, model: nn.Module, data: ImageSet, classes: Tensor, generator: torch.Generator) -> Run[Triggers]:
        """The triggers of `classes` (K,), searched together: K x batch_size images per pass.

        `model` is in eval mode. Of the epochs with enough success the one with the smallest mask
        is kept; a class that never had one keeps its last mask. Progress shows the smallest
        trigger. Raises ValueError when the loss is no longer finite.
        """
        search = Search(model, classes, data.images.shape[1:], self)
        stream = batches(data, self.batch_size, generator, flip=False, pad=0)
        total = self.epochs * self.epoch_steps
        for step in range(1, total + 1):
            loss = search.step(next(stream)[0])
            if not torch.isfinite(loss).all():
                raise ValueError(
                    f"The loss is no longer finite at step {step} of the trigger inversion; choose a lower lr, or "
                    "load the model again."
                )
            if step % self.epoch_steps == 0:
                search.end_epoch()
            smallest, stopped = search.smallest(), search.costs.stopped
            metrics = {
                "loss": loss.mean().item(),
                "norm": search.masks[smallest].sum().item(),
                "stopped": stopped.float().mean().item(),
            }
            picture = {"trigger": (search.masks[smallest] * search.patterns[smallest]).cpu()}
            yield Progress("invert", step, step if stopped.all() else total, metrics, picture, model)
            if stopped.all():
                break
        return Triggers(search.masks[:, 0], search.patterns, search.costs.success)


class Search:
    """The search for the masks and patterns of K classes at once; the model is fixed, so not in the shared loop.

    Wang et al., IEEE S&P 2019: m = tanh(a)/2 + 1/2 and p = tanh(b)/2 + 1/2 from a = b = 1
    minimise, for each class c, CE(f((1 - m) x + m p), c) + cost ||m||_1 by Adam. A class that has
    stopped leaves the batch. `masks` (K, 1, H, W) and `patterns` (K, C, H, W) are those to keep.
    """

    def __init__(self, model: nn.Module, classes: Tensor, shape: Sequence[int], how: Inversion):
        k, device = len(classes), device_of(model)
        self.model, self.classes, self.how, self.fit = model, classes, how, Fit()
        self.a = torch.ones(k, 1, *shape[1:], device=device, requires_grad=True)
        self.b = torch.ones(k, *shape, device=device, requires_grad=True)
        self.adam = torch.optim.Adam([self.a, self.b], how.lr, betas=(0.5, 0.9))
        self.costs = MaskCostSchedule(k, how.cost, how.wanted, how.patience, device)
        self.masks, self.patterns = squashed(self.a).detach(), squashed(self.b).detach()
        self.success = torch.zeros(k, device=device)

    def step(self, images: Tensor) -> Tensor:
        """One Adam step on images (N, C, H, W) for the classes still searched; their cross-entropies."""
        searched = torch.nonzero(~self.costs.stopped)[:, 0]

        def gradients(part: Tensor) -> list[Tensor]:
            m, p = squashed(self.a)[searched], squashed(self.b)[searched]
            goals = self.classes[searched].repeat_interleave(len(part))
            with autocast(part.device):
                logits = self.model(laid_out(self.model, stamped(part, m, p))).float()
            losses = F.cross_entropy(logits, goals, reduction="none").view(len(searched), -1).mean(1)
            hits = (logits.argmax(1) == goals).float().view(len(searched), -1).mean(1)
            total = (losses + self.costs.cost[searched] * m.sum((1, 2, 3))).sum()
            return [hits, losses, *torch.autograd.grad(total, (self.a, self.b))]

        hits, losses, self.a.grad, self.b.grad = mean_in_parts(gradients, images, fit=self.fit)
        self.adam.step()
        self.success[searched] += hits / self.how.epoch_steps
        return losses

    def end_epoch(self) -> None:
        """Move the costs, and keep the masks that are the best so far."""
        mask, pattern = squashed(self.a).detach(), squashed(self.b).detach()
        better = self.costs.update(self.success, mask.sum((1, 2, 3)))
        fresh = (better | self.costs.best.isinf()).view(-1, 1, 1, 1)
        self.masks, self.patterns = mask.where(fresh, self.masks), pattern.where(fresh, self.patterns)
        self.success = torch.zeros_like(self.success)

    def smallest(self) -> int:
        """The class with the smallest mask, one that works if there is any."""
        norms = self.masks.sum((1, 2, 3))
        return int((norms + self.costs.best.isinf() * norms.max()).argmin())


def squashed(free: Tensor) -> Tensor:
    """A free tensor brought into [0, 1]: tanh/2 + 1/2."""
    return free.tanh() / 2 + 0.5


def stamped(images: Tensor, masks: Tensor, patterns: Tensor) -> Tensor:
    """x' = (1 - m) x + m p of images (N, C, H, W) for each of K masks (K, 1, H, W) and patterns: (K N, C, H, W)."""
    return torch.lerp(images[None], patterns[:, None], masks[:, None]).flatten(0, 1)
