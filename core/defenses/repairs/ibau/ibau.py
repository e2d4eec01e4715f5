"""I-BAU: unlearn a universal perturbation, with its dependence on the weights in the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.repairs.ibau.hypergradient import Loss, gradients, hypergradient
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import lr_report, tuned
from core.defenses.shared.selection import RULES, accuracy, fit_and_validation
from core.device import device_of
from core.knobs import Method, knob
from core.networks.layout import laid_out, training_copy
from core.networks.model_state import working_copy
from core.networks.predictions import predict
from core.networks.report import report_of, with_report
from core.optim.batches import batches
from core.optim.gradients import fit_of
from core.optim.train import Diverged
from core.runs import Progress, Run

PENALTY = 1e-3  # of ||delta||^2 in the inner loss
RATE = 0.1  # of the map whose fixed point stands for the inner solution


@dataclass(frozen=True)
class IBAU(Method):
    """Adversarial unlearning by implicit hypergradient (Zeng et al., ICLR 2022, arXiv 2110.03735).

    min over theta of max over delta of the loss of f(x + delta), one delta (1, C, H, W) for all
    images. Each round: delta = 0, then one pass of SGD on L_in = -CE(f(x + delta), labels f(x)) +
    0.001 ||delta||^2; then one pass in which Adam follows the gradient of L_out = CE with true
    labels, delta added to a share of the images, including the way delta depends on theta
    (core/defenses/repairs/ibau/hypergradient.py; L_in there has true labels, on the pass's first batch).

    It does not run in the shared loop (core/optim/train.py): one gradient takes K second derivatives, too long a
    time without progress. The model is in eval mode throughout, so batch norms do not move. As in the authors' code
    nothing bounds delta: it is neither projected nor clamped; its norm is reported. delta is
    added to pixels in [0, 1]; added to pixels divided by a deviation s, the same `inner_lr` would
    move them s^2 times as far. `IBAU.paper()` is the setting of BackdoorBench (Wu et al., 2022): a
    pass over its 2,500 images are 10 steps of 256. Its Adam has amsgrad on, ours has not: on
    `zoo:scenes-badnets` and `zoo:scenes-blended` with seeds 0, 1, 2 (n = 6) that changed ASR by at most
    0.6 points either way and lowered ACC by 0.4 on average, 1.5 at most, so there is no knob for it.
    """

    rounds: int = knob(2, low=0, high=50, step=1, help="rounds of perturbing and unlearning", paper=5, primary=True)
    steps: int = knob(20, low=0, high=1000, step=1, help="steps of each of a round's two passes", paper=10)
    iterations: int = knob(
        5, low=1, high=20, step=1, symbol="K", help="steps towards the implicit gradient", paper=5, primary=True
    )
    lr: float = knob(
        2e-4, low=1e-6, high=1.0, symbol="η", help="learning rate of Adam, at most", paper=1e-4, primary=True
    )
    inner_lr: float = knob(10.0, low=0.0, high=1000.0, help="learning rate of the perturbation", paper=10.0)
    portion: float = knob(
        0.01, low=0.0, high=1.0, step=0.01, help="share of a batch that is perturbed, one image at least", paper=0.01
    )
    batch_size: int = knob(32, low=8, high=1024, step=8, help="images per step", paper=256)
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=RULES, help="how the learning rate is chosen", paper="fixed")
    tau: float = knob(0.04, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(4, low=1, high=11, step=1, help="learning rates to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """A repaired copy of `model`, in eval mode; 80 % of `clean` are trained on.

        `report`: "delta" (1, C, H, W) of the last round and "delta/norm", its L2 norm, and what `FineTuning.run`
        reports. Raises ValueError as it does.
        """
        check("IBAU", model, clean)
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        before = accuracy(original, validation)

        def tune(lr: float) -> Run[nn.Module]:
            student, generator = working_copy(original), torch.Generator().manual_seed(seed)
            adam = torch.optim.Adam(student.parameters(), lr)
            delta = torch.zeros_like(fit.images[:1], dtype=torch.float32)
            for number in range(self.rounds):
                delta = yield from self._perturb(student, fit, number, generator)
                yield from self._unlearn(student, fit, delta, number, adam, generator)
            adam.zero_grad(set_to_none=True)
            return with_report(student, {"delta": delta.detach(), "delta/norm": delta.norm().item()})

        chosen = yield from tuned(self, tune, validation, before)
        return with_report(chosen.model, lr_report(before, chosen) | report_of(chosen.model))

    def _perturb(self, model: nn.Module, fit: ImageSet, number: int, generator: torch.Generator) -> Run[Tensor]:
        """The perturbation of this round, which takes images away from what the model says of them."""
        delta = torch.zeros_like(fit.images[:1], dtype=torch.float32).requires_grad_(True)
        stream = batches(fit, self.batch_size, generator, flip=self.flip, pad=self.pad)
        for step in range(1, self.steps + 1):
            images, _ = next(stream)
            said = predict(model, images).argmax(1)
            loss, slope = gradients(inner_loss(model, delta), (images, said), [delta], fit_of(model, images))
            delta = (delta.detach() - self.inner_lr * slope).requires_grad_(True)
            metrics = self._metrics("inner loss", loss, delta, step)
            yield Progress("perturb", number * self.steps + step, self._total(), metrics, model=model)
        return delta

    def _unlearn(
        self, model: nn.Module, fit: ImageSet, delta: Tensor, number: int, adam: torch.optim.Adam,
        generator: torch.Generator,
    ) -> Run[None]:  # fmt: skip
        """One pass of Adam steps along the hypergradient."""
        weights = list(model.parameters())
        stream = batches(fit, self.batch_size, generator, flip=self.flip, pad=self.pad)
        first: tuple[Tensor, Tensor] | None = None
        metrics: dict[str, float] = {}
        for step in range(1, self.steps + 1):
            images, labels = next(stream)
            first = first or (images, labels)
            past, total = (number * self.steps + step - 1) * self.iterations, self._total() * self.iterations
            loss, slopes = yield from hypergradient(
                outer_loss(model, delta), (images, labels, perturbed(len(images), self.portion, images)),
                inner_loss(model, delta), first, delta, weights, rate=RATE, iterations=self.iterations,
                show=partial(self._show, past, total, metrics, model), fit=fit_of(model, images),
            )  # fmt: skip
            for weight, slope in zip(weights, slopes, strict=True):
                weight.grad = slope
            adam.step()
            metrics = self._metrics("outer loss", loss, delta, step)
            yield Progress("unlearn", past + self.iterations, total, metrics, model=model)

    def _show(self, past: int, total: int, metrics: dict[str, float], model: nn.Module, k: int) -> Progress:
        return Progress("unlearn", past + k, total, metrics, model=model)

    def _total(self) -> int:
        return self.rounds * self.steps

    def _metrics(self, name: str, loss: Tensor, delta: Tensor, step: int) -> dict[str, float]:
        """Neither loss is called "loss", by which `tuned` tells a rate that diverges: nothing bounds it under delta."""
        if not (math.isfinite(loss.item()) and torch.isfinite(delta).all()):
            raise Diverged(f"The loss is no longer finite at step {step} of a round; choose a lower lr.")
        return {name: loss.item(), "norm": delta.norm().item()}


def inner_loss(model: nn.Module, delta: Tensor) -> Loss:
    """L_in(x, y) = -CE(f(x + delta), y) + 0.001 ||delta||^2."""

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return PENALTY * delta.square().sum() - F.cross_entropy(model(laid_out(model, images + delta)), labels)

    return loss


def outer_loss(model: nn.Module, delta: Tensor) -> Loss:
    """L_out(x, y, m) = CE(f(x + m delta), y) with m (N, 1, 1, 1) 1 where an image is perturbed."""

    def loss(images: Tensor, labels: Tensor, marks: Tensor) -> Tensor:
        return F.cross_entropy(model(laid_out(model, images + marks * delta)), labels)

    return loss


def perturbed(n: int, portion: float, like: Tensor) -> Tensor:
    """(n, 1, 1, 1), 1 for the first images of a batch: `portion` of them, at least one unless it is 0."""
    count = max(1, round(portion * n)) if portion else 0
    return (torch.arange(n, device=like.device) < count).to(like.dtype).view(-1, 1, 1, 1)
