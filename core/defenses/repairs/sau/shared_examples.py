"""Shared adversarial examples: perturbed images that two models mistake for the same wrong class.

Wei et al., NeurIPS 2023 (arXiv 2307.10562). A backdoored model and the model that is being repaired
from it agree on a wrong class mostly where a trigger would send the image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import autocast, in_batches
from core.networks.layout import laid_out
from core.networks.model_state import frozen
from core.networks.predictions import predict

LEAST = 1e-8
"""Probabilities are clamped from below to this before their logarithm."""


def shared_examples(
    model: nn.Module, reference: nn.Module, images: Tensor, labels: Tensor, *, eps: float, steps: int, b1: float,
    b2: float,
) -> Tensor:  # fmt: skip
    """x + delta (N, C, H, W) for images of classes y, by projected sign steps; both models in eval mode.

    delta starts at +eps everywhere. Each step, of length eps, lowers `shared_loss`, and delta is
    clamped to [-eps, eps]; it ends early when every example is shared. x + delta is not clipped to
    [0, 1].
    """

    def slope(x: Tensor, *answers: Tensor) -> Tensor:
        """The gradient of the loss, zero for examples that are shared; its scale does not matter for sign steps."""
        x = x.detach().requires_grad_(True)
        with autocast(x.device):
            ours, theirs = (net(laid_out(net, x)).float() for net in (model, reference))
        return torch.autograd.grad(shared_loss(ours, theirs, *answers, b1=b1, b2=b2), x)[0]

    delta = torch.full_like(images, eps)
    plain, plain_too = predict(model, images).argmax(1), predict(reference, images).argmax(1)
    with frozen(model), frozen(reference):
        for _ in range(steps):
            gradient = in_batches(slope, images + delta, labels, plain, plain_too, size=len(images))
            if not gradient.any():
                break
            delta = (delta - eps * gradient.sign()).clamp(-eps, eps)
    return images + delta


def shared_loss(
    ours: Tensor, theirs: Tensor, labels: Tensor, plain: Tensor, plain_too: Tensor, *, b1: float, b2: float
) -> Tensor:
    """What a shared example minimises, from the float32 logits (N, K) of f and f_A at x + delta.

    -b1 [CE(f, y) over images that do not fool f + CE(f_A, y) over images that do not fool f_A] / (2N)
    + b2 JS(f, f_A) over images that are not shared / N. A model is fooled where its class differs from
    its own on x, `plain` for f and `plain_too` for f_A (each (N,)), whatever the label. Shared: both
    are fooled and say the same class.
    """
    said, said_too = ours.argmax(1), theirs.argmax(1)
    fooled, fooled_too = said != plain, said_too != plain_too
    shared = fooled & fooled_too & (said == said_too)
    fooling = (F.cross_entropy(ours, labels, reduction="none") * ~fooled).sum() + (
        F.cross_entropy(theirs, labels, reduction="none") * ~fooled_too
    ).sum()
    apart = (jensen_shannon(ours.softmax(1), theirs.softmax(1)) * ~shared).sum()
    return (-b1 * fooling / 2 + b2 * apart) / len(labels)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """[KL(p || m) + KL(q || m)] / 2 with m = (p + q) / 2, in nats, of each row of p and q (N, K): (N,).

    Clamped from below only: a probability near 1 keeps its gradient, so that two models that are both
    sure of different classes are still drawn together.
    """
    p, q = p.clamp(min=LEAST), q.clamp(min=LEAST)
    middle = ((p + q) / 2).log()
    return ((p * (p.log() - middle)).sum(1) + (q * (q.log() - middle)).sum(1)) / 2


def shared_risk(logits: Tensor, answers: Tensor, counted: Tensor) -> Tensor:
    """L_sh = (1/N) sum -log(1 - p(ytilde | x + delta)) over the examples that are `counted` (bool (N,)).

    `logits` (N, K) are those of f at x + delta in float32, `answers` (N,) the classes ytilde that f_A gives
    there. As in the authors' release, the logarithm is the mean of two forms, flat at one end each:
    log(1e-6 + min(1 - p, 0.999)) and log(1 + 1e-6 - max(p, 0.001)). Neither is flat near p = 1, where
    the backdoor is strongest.
    """
    p = logits.softmax(1).gather(1, answers[:, None])[:, 0]
    first, second = (1e-6 + (1 - p).clamp(max=0.999)).log(), (1 + 1e-6 - p.clamp(min=0.001)).log()
    return (-(first + second) / 2 * counted).sum() / len(logits)
