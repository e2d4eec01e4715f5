"""A universal adversarial perturbation: one small change that changes the answer to most pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks.inputs.deepfool import DeepFool
from core.attacks.shared.preview import magnified
from core.attacks.shared.problem import prepare
from core.attacks.shared.universal_delta import Ball, added, slope_of
from core.attacks.universal.universal_change import Task, UniversalChange, fooled, raised, task
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.networks.predictions import predict
from core.optim.batches import batches, steps_per_epoch
from core.optim.gradients import fit_of, mean_in_parts
from core.runs import Progress, Run, told_as

INNER, QUICK = 10, 9
"""DeepFool's steps per picture; without a target its change is taken where it needed fewer than `QUICK`."""


@dataclass(frozen=True)
class Universal(Method):
    """Universal adversarial perturbation (Moosavi-Dezfooli et al., CVPR 2017, https://arxiv.org/abs/1610.08401).

    One v, ||v||_p <= xi, with argmax f(clip(x + v, 0, 1)) != argmax f(x) for most pictures x; with a target t (Hirano,
    Takemoto 2020, https://arxiv.org/abs/1911.06502), with argmax f(clip(x + v, 0, 1)) = t for most that were not
    given t before. The model's answers count, not the labels.

    deepfool : as in the paper. For each picture that v does not fool yet, DeepFool (10 steps) from x + v gives a
        dv, and v <- P(v + dv), P the projection on the ball; untargeted, only where fewer than 9 steps were needed.
    sign : signed steps with momentum (in L2: normalised) on the mean cross-entropy of a batch,
        v <- P(v + alpha xi sign(m)). Many times faster: one pass per batch, not a hundred per picture.

    A pass takes every picture once. It ends early when v fools the share `enough` of the pictures it learns from.
    Besides, unlike the released code, x + v is clipped, and the rate is measured on pictures that v was not made on.
    """

    how: str = knob("sign", choices=("sign", "deepfool"), paper="deepfool", help="how v is sought", primary=True)
    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of v is measured")
    xi: float = knob(
        10 / 255, low=0.0, high=10.0, step=1 / 255, symbol="ξ", help="size of v, pixels in 0-1: its largest value, or "
        "its L2 norm", primary=True,
    )  # fmt: skip
    passes: int = knob(10, low=1, high=100, step=1, help="passes over the pictures, at most", primary=True)
    enough: float = knob(
        1.0, low=0.0, high=1.0, step=0.05, symbol="1 − δ", paper=0.8, help="share fooled at which it stops"
    )
    pictures: int = knob(500, low=1, high=50_000, step=10, paper=10_000, help="pictures to learn from, at most")
    batch_size: int = knob(50, low=1, high=512, step=2, help="pictures per signed step")
    alpha: float = knob(0.1, low=0.0, high=2.0, step=0.01, symbol="α", help="length of a step, as a share of ξ")

    def run(
        self, model: nn.Module, fit: ImageSet, *, test: ImageSet, target: int | None = None, seed: int = 0
    ) -> Run[UniversalChange]:
        """Find v on at most `pictures` of `fit`, and judge it on `test`; labels are not used.

        Progress: "fooled" (of the last batch or picture), after each pass "fit/fooling" and "fooling" (test), and v
        magnified. The control is v with random signs: as large in every norm. Raises ValueError for no pictures, or a
        target that is not a class.
        """
        work = task(model, fit, test, target, self.pictures, seed)
        generator = torch.Generator().manual_seed(seed)
        delta, past = torch.zeros_like(work.fit.pixels[0]), []
        velocity = torch.zeros_like(delta)
        for number in range(self.passes):
            if self.how == "sign":
                delta, velocity = yield from self._signs(model, work, delta, velocity, number, generator)
            else:
                delta = yield from self._deepfool(model, work, delta, number, generator)
            learned, others = work.judged(model, partial(added, delta=delta))
            past.append({"fit": learned.share, "test": others.share})
            yield Progress(
                "universal", number + 1, self.passes,
                {"fit/fooling": learned.share, "fooling": others.share, "n": others.n},
                {"delta": magnified(delta)[0].cpu()},
            )  # fmt: skip
            if learned.share >= self.enough:
                break
        on, blind = partial(added, delta=delta), partial(added, delta=self.blind(delta, seed))
        return work.result(model, delta, on, blind, past, (learned, others))

    def blind(self, delta: Tensor, seed: int) -> Tensor:
        """The control: v with signs drawn by `seed`, as large in every norm."""
        signs = torch.randint(0, 2, delta.shape, generator=torch.Generator().manual_seed(seed)).to(delta) * 2 - 1
        return delta.abs() * signs

    @property
    def ball(self) -> Ball:
        """The ball that v is sought in, and its step."""
        return Ball(self.xi, self.passes, alpha=self.alpha, norm=self.norm)

    def _signs(
        self, model: nn.Module, work: Task, delta: Tensor, velocity: Tensor, number: int, generator: torch.Generator
    ) -> Run[tuple[Tensor, Tensor]]:
        """One pass of signed steps; v, and the momentum that the next pass goes on with."""
        total = steps_per_epoch(work.fit, self.batch_size)
        stream = batches(work.fit, self.batch_size, generator, flip=False, pad=0)
        for step in range(total):
            images, answers = next(stream)
            slope, told = mean_in_parts(
                partial(_slope, model, delta, work.target), images, answers, fit=fit_of(model, images)
            )
            delta, velocity = self.ball.step(delta, velocity, slope)
            loss, reached = told.tolist()
            yield Progress(
                "universal", number * total + step + 1, self.passes * total, {"loss": loss, "fooled": reached},
                {"delta": magnified(delta)[0].cpu()},
            )  # fmt: skip
        return delta, velocity

    def _deepfool(
        self, model: nn.Module, work: Task, delta: Tensor, number: int, generator: torch.Generator
    ) -> Run[Tensor]:
        """One pass of the paper's loop, picture by picture in a new order."""
        inner = DeepFool(norm=self.norm, steps=INNER)
        problem = prepare(model, work.fit.pixels, work.fit.labels, work.target, None)
        order, n = torch.randperm(len(problem), generator=generator).tolist(), len(problem)
        for place, index in enumerate(order, start=1):
            now = Progress("universal", number * n + place, self.passes * n)
            one = problem[index : index + 1]
            moved = added(one.images, delta)
            if not bool(one.solved(predict(model, moved))):
                attack = inner.attack(model, dataclasses.replace(one, images=moved))
                found = yield from told_as(attack, now)
                if work.target is not None or int(found.steps) < QUICK:
                    delta = self.ball.inside(delta + (found.images - moved)[0])
            yield dataclasses.replace(now, images={"delta": magnified(delta)[0].cpu()})
        return delta


def _slope(
    model: nn.Module, delta: Tensor, target: int | None, images: Tensor, answers: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradient of the mean loss by v, and that loss with the fooling rate of the batch."""
    loss = raised(target, answers)
    slope, logits = slope_of(model, delta, loss, images)
    return slope, torch.stack([loss(logits).mean(), fooled(target, answers, logits)])
