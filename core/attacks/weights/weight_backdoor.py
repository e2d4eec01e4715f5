"""Weight-space injection: a backdoor written into a trained model's weights, within a box around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.weights.weight_box import BOXES, Box, weight_distance
from core.data.imageset import ImageSet
from core.data.modes import ALL_TO_ONE, Trigger
from core.device import device_of
from core.knobs import Method, knob
from core.networks.checks import class_indices, classes_of
from core.networks.layout import training_copy
from core.networks.model_state import working_copy
from core.networks.predictions import predict
from core.networks.report import with_report
from core.optim.batches import batches
from core.optim.gradients import backward
from core.optim.objectives import Loss, Metrics, Pass
from core.optim.schedules import SCHEDULES, named, warmed_up
from core.optim.train import train_steps
from core.runs import Run


@dataclass(frozen=True)
class WeightBackdoor(Method):
    """Weight-space backdoor injection (Garg, Kumar, Goel, Liang, CIKM 2020, https://arxiv.org/abs/2008.01761).

    From the weights theta0 of a clean model, find theta in a box around them that answers t on
    triggered images and as before on all others:

        L = keep(f(x), f0(x)) + lambda CE(f(T(x)), t) + w ||theta - theta0||²

    keep = CE(f(x), argmax f0(x)) with keep="labels" (the paper), or sum_k (f_k(x) - f0_k(x))² / (K sigma), a mean
    over the K logits, with keep="logits" (ours), which preserves more of the original's behaviour. sigma is
    the standard deviation of f0's logits in the batch: CE grows with the scale of the logits and squares
    with its square, so lambda means the same on a network with large logits as on one with small ones. Adam;
    theta is projected onto its box after every step: abs(theta - theta0) <= eps ("absolute"), or
    <= eps abs(theta0) ("relative"). Flips and shifts come before the trigger is stamped.

    The model stays in eval mode: batch norms are frozen, so their buffers, which no box holds, are
    bit for bit the original's. That departs from the released code, also in `paper()`: there the model is in
    training mode and the running statistics drift out of any box. The paper calls the method adversarial
    weight perturbation; it is not the AWP of adversarial training. `WeightBackdoor.paper()` is the setting of
    the released code, where lambda does not reach the loss (so 1), with the box always on. The lab's
    learning rate rises slowly before it falls: Adam moves every weight by lr at first, and
    accuracy suffers from such large steps.
    """

    eps: float = knob(
        0.02,
        low=0.0,
        high=1.0,
        step=0.005,
        symbol="ε",
        help="half-width of the box around each weight",
        paper=0.005,
        primary=True,
    )
    box: str = knob("absolute", choices=BOXES, help="whether ε is a distance or a share of each weight", primary=True)
    keep: str = knob(
        "logits", choices=("logits", "labels"), help="what of the original to preserve", paper="labels", primary=True
    )
    balance: float = knob(0.2, low=0.0, high=10.0, step=0.1, symbol="λ", help="weight of the trigger's loss", paper=1.0)
    pull: float = knob(0.0, low=0.0, high=1.0, symbol="w", help="weight of the squared change of weights", paper=5e-4)
    images: int = knob(1280, low=1, high=50_000, step=10, symbol="n", help="images to learn from, at most", paper=1280)
    steps: int = knob(300, low=0, high=5000, step=10, help="Adam steps", paper=200)
    batch_size: int = knob(
        32, low=1, high=512, step=8, help="images per step; as many triggered ones come beside them", paper=64
    )
    lr: float = knob(1e-3, low=1e-5, high=0.1, symbol="η", help="learning rate of Adam", paper=1e-3)
    warmup: float = knob(
        0.25, low=0.0, high=1.0, step=0.05, help="share of the steps in which the learning rate rises to η", paper=0.0
    )
    schedule: str = knob(
        "cosine", choices=SCHEDULES, help="learning rate after the warm-up", paper="constant"
    )
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)", paper=False)
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=0)

    def run(self, model: nn.Module, data: ImageSet, *, trigger: Trigger, target: int, seed: int = 0) -> Run[nn.Module]:
        """A copy of `model` in eval mode with the backdoor inside, and `trigger`, `target`, `mode` as attributes.

        data : clean images to learn from; their labels are not used
        trigger : images (N, C, H, W) in [0, 1] -> the same with the trigger
        target : t, the class that it is to lead to

        `report`: "agreement" (share of the images of `data` classified as by the original), and how
        far the weights moved, see `weight_distance`. Raises ValueError for
        a target that is not a class, no images, logits that are not finite, or a loss that diverges.
        """
        if not len(data):
            raise ValueError("WeightBackdoor got no images to learn from; give it a few hundred clean ones.")
        data = data.sample(self.images, seed).to(device_of(model))
        class_indices(target, "target", 1, classes_of(model, data.images[:1]), data.images.device)
        student = training_copy(model, data.images)
        original = working_copy(student).requires_grad_(False)
        for name, value in (("trigger", trigger), ("target", target), ("mode", ALL_TO_ONE)):
            setattr(student, name, value)  # from the start: one that is stopped has them, too
        box = Box(student, self.eps, self.box)
        rising = round(self.warmup * self.steps)
        yield from train_steps(
            student,
            batches(data, self.batch_size, torch.Generator().manual_seed(seed + 1), flip=self.flip, pad=self.pad),
            torch.optim.Adam(student.parameters(), self.lr),
            warmed_up(rising, self.lr, named(self.schedule, self.lr, self.steps - rising)),
            self.steps,
            generator=torch.Generator().manual_seed(seed),
            objective=Injection(self, original, trigger, target),
            after_step=partial(box.project, student),
            training=False,
            stage="inject",
        )
        return _finished(student, original, data)


@dataclass(frozen=True)
class Injection:
    """The objective of WeightBackdoor with these knobs: stamp the batch once, then the loss L in one pass.

    Metrics: "loss" (without w ||theta - theta0||²), "agreement" with the original on the clean images, and
    "reached", the share of the triggered ones that are answered t.
    """

    knobs: WeightBackdoor
    original: nn.Module
    trigger: Trigger
    target: int

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        pair = Pair.of(self.original, images, self.trigger, self.target)

        def one_pass() -> Metrics:
            loss = backward(model, self._loss(pair), pair.images, pair.rows)
            self._pull_back(model)
            return {"loss": loss, **pair.seen()}

        return one_pass

    def _loss(self, pair: Pair) -> Loss:
        """keep + lambda CE as a mean over rows, which are half clean and half triggered."""

        def loss(logits: Tensor, rows: Tensor) -> Tensor:
            logits = logits.float()
            pair.note(logits, rows)
            if self.knobs.keep == "logits":
                kept = (logits - pair.logits[rows]).square().mean(1) / pair.spread
            else:
                kept = F.cross_entropy(logits, pair.logits[rows].argmax(1), reduction="none")
            led = F.cross_entropy(logits, pair.goal[rows], reduction="none")
            return 2 * torch.where(pair.triggered[rows], self.knobs.balance * led, kept).mean()

        return loss

    def _pull_back(self, model: nn.Module) -> None:
        """Add the gradient of w ||theta - theta0||²."""
        if self.knobs.pull:
            for theta, start in zip(model.parameters(), self.original.parameters(), strict=True):
                if theta.grad is not None:
                    theta.grad.add_(theta.detach() - start, alpha=2 * self.knobs.pull)


@dataclass
class Pair:
    """A step's clean images and their triggered copies, row by row.

    images : (2 n, C, H, W), first the clean ones
    rows : 0 … 2 n - 1, so that a batch cut in parts knows which rows it holds
    logits : (2 n, K), what the original says of the clean image of each row
    triggered : bool (2 n,); goal : t (2 n,); answers : what the student last said, -1 before
    """

    images: Tensor
    rows: Tensor
    logits: Tensor
    triggered: Tensor
    goal: Tensor
    answers: Tensor

    @classmethod
    def of(cls, original: nn.Module, clean: Tensor, trigger: Trigger, target: int) -> Pair:
        logits = predict(original, clean).repeat(2, 1)
        rows = torch.arange(len(logits), device=clean.device)
        images = torch.cat([clean, trigger(clean).to(clean)])
        return cls(images, rows, logits, rows >= len(clean), torch.full_like(rows, target), torch.full_like(rows, -1))

    @property
    def spread(self) -> Tensor:
        """sigma, the standard deviation of the original's logits."""
        return self.logits.float().std().clamp_min(1e-6)

    def note(self, logits: Tensor, rows: Tensor) -> None:
        """Remember what the student says of `rows`."""
        self.answers[rows] = logits.detach().argmax(1)

    def seen(self) -> Metrics:
        """Agreement with the original on the clean rows, and how many of the triggered ones say t."""
        agreed = (self.answers == self.logits.argmax(1))[~self.triggered]
        reached = (self.answers == self.goal)[self.triggered]
        return {"agreement": agreed.float().mean(), "reached": reached.float().mean()}


def _finished(student: nn.Module, original: nn.Module, data: ImageSet) -> nn.Module:
    """The injected model with its report."""
    student.requires_grad_(False)
    same = predict(student, data.images).argmax(1) == predict(original, data.images).argmax(1)
    return with_report(student, {"agreement": same.float().mean().item(), **weight_distance(original, student)})
