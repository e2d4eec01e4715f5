"""Shared adversarial examples: perturbed images that two models mistake for the same wrong class.

Wei et al., NeurIPS 2023 (arXiv 2307.10562). A backdoored model and the model that is being repaired
from it agree on a wrong class mostly where a trigger would send the image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import autocast, in_batches
from core.networks.model_state import frozen

LEAST, MOST = 0.001, 0.999
"""Probabilities are clamped to this range before their logarithm."""


def shared_examples(
    model: nn.Module, reference: nn.Module, images: Tensor, labels: Tensor, *, eps: float, steps: int, b1: float,
    b2: float,
) -> Tensor:  # fmt: skip
    """x + delta (N, C, H, W) for images of classes y, by projected sign steps; both models in eval mode.

    delta starts at +eps everywhere. Each step, of length eps, lowers `shared_loss`, and delta is
    clamped to [-eps, eps]; it ends early when every example is shared. x + delta is not clipped to
    [0, 1].
    """

    def slope(x: Tensor, y: Tensor) -> Tensor:
        """The gradient of the loss, zero for examples that are shared: sign steps do not mind its scale."""
        x = x.detach().requires_grad_(True)
        with autocast(x.device):
            ours, theirs = model(x).float(), reference(x).float()
        return torch.autograd.grad(shared_loss(ours, theirs, y, b1, b2), x)[0]

    delta = torch.full_like(images, eps)
    with frozen(model), frozen(reference):
        for _ in range(steps):
            gradient = in_batches(slope, images + delta, labels, size=len(images))
            if not gradient.any():
                break
            delta = (delta - eps * gradient.sign()).clamp(-eps, eps)
    return images + delta


def shared_loss(ours: Tensor, theirs: Tensor, labels: Tensor, b1: float, b2: float) -> Tensor:
    """What a shared example minimises, from the logits (N, K) of both models at x + delta.

    -b1 [CE(f) over images f still classifies as y + CE(f_A), likewise] / (2N) + b2 JS(f, f_A) over
    images that are not shared / N. Shared: both models say the same wrong class.
    """
    said, said_too = ours.argmax(1), theirs.argmax(1)
    right, right_too = said == labels, said_too == labels
    shared = (said == said_too) & ~right
    fooling = (F.cross_entropy(ours, labels, reduction="none") * right).sum() + (
        F.cross_entropy(theirs, labels, reduction="none") * right_too
    ).sum()
    apart = (jensen_shannon(ours.softmax(1), theirs.softmax(1)) * ~shared).sum()
    return (-b1 * fooling / 2 + b2 * apart) / len(labels)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """[KL(p || m) + KL(q || m)] / 2 with m = (p + q) / 2, in nats, of each row of p and q (N, K): (N,)."""
    p, q = p.clamp(LEAST, MOST), q.clamp(LEAST, MOST)
    middle = ((p + q) / 2).log()
    return ((p * (p.log() - middle)).sum(1) + (q * (q.log() - middle)).sum(1)) / 2


def shared_risk(logits: Tensor, answers: Tensor, counted: Tensor) -> Tensor:
    """L_sh = (1/N) sum -log(1 - p(ytilde | x + delta)) over the examples that are `counted` (bool (N,)).

    `logits` (N, K) are those of f at x + delta, `answers` (N,) the classes ytilde that f_A gives there.
    """
    p = logits.softmax(1).gather(1, answers[:, None])[:, 0].clamp(LEAST, MOST)
    return (-torch.log1p(-p) * counted).sum() / len(logits)
