"""The objective of a training on mixed batches."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.layout import laid_out
from core.optim.gradients import backward_of
from core.optim.objectives import Metrics, Objective, Pass
from core.training.mixing.mixer import Mixer


def mixed(mixer: Mixer) -> Objective:
    """lam CE(f(x~), y) + (1 - lam) CE(f(x~), y[partner]), the mean over the batch.

    A batch is mixed once, by the random numbers of its step, whichever weights its pass is then repeated at.
    """

    def objective(model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        batch = mixer(images, labels)

        def value(x: Tensor, own: Tensor, other: Tensor, lam: Tensor) -> Tensor:
            return mixed_loss(model(laid_out(model, x)), own, other, lam)

        def one_pass() -> Metrics:
            others = batch.labels[batch.partners]
            return {"loss": backward_of(model, value, batch.images, batch.labels, others, batch.lam)}

        return one_pass

    return objective


def mixed_loss(logits: Tensor, own: Tensor, other: Tensor, lam: Tensor) -> Tensor:
    """The mean of lam CE(z, own) + (1 - lam) CE(z, other) over logits z (N, K); labels and lam are (N,)."""
    to_own, to_other = (F.cross_entropy(logits, labels, reduction="none") for labels in (own, other))
    return (lam * to_own + (1 - lam) * to_other).mean()
