"""An adversarial patch: a small picture that leads to one class wherever it is pasted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.shared.problem import gradient
from core.attacks.universal.pasting import SHAPES, check_sides, pasted, placed, shape_mask
from core.attacks.universal.universal_change import Apply, Fooled, Task, UniversalChange, fooled, raised, task
from core.data.imageset import ImageSet
from core.device import dtype_of
from core.knobs import Method, knob
from core.networks.checks import require_finite
from core.optim.batches import batches
from core.runs import Progress, Run

LOOKS = 10
"""How often the fooling rate is measured in a run."""
SIDES = (0.2, 0.3, 0.4, 0.5, 0.6)
"""Sides of the patch at which the finished one is judged."""


@dataclass(frozen=True)
class Patch(Method):
    """Adversarial patch (Brown et al., 2017, https://arxiv.org/abs/1712.09665).

        maximise over p:  E log p_f(t | A(p, x, place, scale, angle)),   p in [0, 1]

    A pastes the patch into the picture x. In every step each picture of a batch gets a place, a side between `smallest`
    and `largest` (shares of the picture's shorter side) and an angle of its own; Adam moves the patch, from grey.
    Without a target, the answer before is to be left. Pictures that are given t already are left out.

    The patch has as many pixels as it covers at `largest`. Nothing bounds its colours: it is meant to be seen, printed
    and held into a camera. The control is the patch with its pixels in random order: the same colours, no structure.
    """

    smallest: float = knob(0.3, low=0.05, high=1.0, step=0.05, help="smallest side, as a share of the picture's",
                           paper=0.1)  # fmt: skip
    largest: float = knob(0.5, low=0.05, high=1.0, step=0.05, help="largest side, as a share of the picture's",
                          paper=1.0, primary=True)  # fmt: skip
    rotation: float = knob(22.5, low=0.0, high=180.0, step=2.5, paper=22.5, help="largest angle, in degrees")
    shape: str = knob("circle", choices=SHAPES, help="outline of the patch")
    steps: int = knob(150, low=1, high=10_000, step=10, symbol="T", paper=500, help="steps of Adam", primary=True)
    batch_size: int = knob(32, low=1, high=512, step=8, paper=16, help="pictures per step")
    lr: float = knob(0.05, low=1e-4, high=1.0, symbol="η", paper=5 / 255, help="learning rate of Adam")
    pictures: int = knob(500, low=1, high=50_000, step=10, help="pictures to learn from, at most")

    def run(
        self, model: nn.Module, fit: ImageSet, *, test: ImageSet, target: int | None = None, seed: int = 0
    ) -> Run[UniversalChange]:
        """Find the patch on at most `pictures` of `fit`, and judge it on `test`; labels are not used.

        Places of the test pictures are drawn once by `seed`; sides lie between `smallest` and `largest` in `test`, and
        are `SIDES` in `by_side`. Raises ValueError for no pictures, for a target that is not a class, and where
        smallest > largest.
        """
        if self.smallest > self.largest:
            raise ValueError(f"Patch.smallest = {self.smallest} is larger than largest = {self.largest}; lower it.")
        work = task(model, fit, test, target, self.pictures, seed)
        patch, past, judged = yield from self._learn(model, work, seed)
        shuffled = self.blind(patch, seed)
        on, blind = self.paste(patch, seed=seed), self.paste(shuffled, seed=seed)
        found = work.result(model, patch, on, blind, past, judged)
        for step, side in enumerate(SIDES, start=1):
            seen, control = (work.tested(model, self.paste(each, side, side, seed=seed)) for each in (patch, shuffled))
            found.by_side[side] = (seen, control)
            yield Progress("score", step, len(SIDES))
        return found

    def blind(self, patch: Tensor, seed: int) -> Tensor:
        """The control: the patch with its pixels in an order drawn by `seed`."""
        order = torch.randperm(patch[0].numel(), generator=torch.Generator().manual_seed(seed))
        return patch.flatten(1)[:, order.to(patch.device)].view_as(patch)

    def put(self, images: Tensor, patch: Tensor, side: float, angle: float, x: float, y: float) -> Tensor:
        """The images with the patch at one place: its side as a share of theirs, an angle in degrees, and its centre, x
        and y in [-1, 1], the ends being where it touches the border. ValueError where it is larger than they are.
        """
        where = torch.tensor([side, math.radians(angle), x, y], device=images.device).expand(len(images), 4)
        theta = placed((images.shape[2], images.shape[3]), where[:, 0], where[:, 1], where[:, 2:])
        return pasted(images, patch, self.outline(patch), theta).clamp(0, 1)

    def outline(self, patch: Tensor) -> Tensor:
        """Where the patch is, float (1, P, P): its circle, or all of it."""
        return shape_mask(self.shape, patch.shape[1])

    def paste(
        self, patch: Tensor, smallest: float | None = None, largest: float | None = None, *, seed: int = 0
    ) -> Apply:
        """What puts the patch on images, each at a place, side and angle drawn by `seed` and the image's number.

        smallest, largest : in place of the method's own; ValueError where they exceed the picture
        """
        low, high = self.smallest if smallest is None else smallest, self.largest if largest is None else largest
        check_sides(torch.tensor([low, high]))

        def apply(images: Tensor) -> Tensor:
            theta = self._theta(images, low, high, torch.Generator().manual_seed(seed))
            return pasted(images, patch, self.outline(patch), theta).clamp(0, 1)

        return apply

    def _theta(self, images: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
        """A map for each image; side, angle and place are drawn together, so that more images change none of them."""
        draws = torch.rand(len(images), 4, generator=generator)
        angles = (2 * draws[:, 1] - 1) * math.radians(self.rotation)
        height, width = images.shape[2:]
        return placed((height, width), low + (high - low) * draws[:, 0], angles, 2 * draws[:, 2:] - 1)

    def _learn(
        self, model: nn.Module, work: Task, seed: int
    ) -> Run[tuple[Tensor, list[dict[str, float]], tuple[Fooled, Fooled]]]:
        """The patch, its fooling rates as it learned, and its answers at the end."""
        channels, height, width = work.fit.images.shape[1:]
        side = max(2, round(self.largest * min(height, width)))
        patch = torch.full((channels, side, side), 0.5, device=work.fit.images.device)
        adam, past = torch.optim.Adam([patch], self.lr), []
        generator = torch.Generator().manual_seed(seed)
        stream = batches(work.fit, self.batch_size, generator, flip=False, pad=0)
        for step in range(1, self.steps + 1):
            loss, reached = self._step(model, work.target, patch, stream, generator)
            adam.step()
            patch.clamp_(0, 1)
            numbers = {"loss": loss, "fooled": reached}
            if step % max(1, self.steps // LOOKS) == 0 or step == self.steps:
                on = self.paste(patch, seed=seed)
                learned, others = work.judged(model, on)
                past.append({"fit": learned.share, "test": others.share})
                numbers |= {"fit/fooling": learned.share, "fooling": others.share, "n": others.n}
            yield Progress("universal", step, self.steps, numbers, {"patch": patch.cpu().clone()})
        return patch, past, (learned, others)

    def _step(
        self, model: nn.Module, target: int | None, patch: Tensor, stream: Iterator[tuple[Tensor, Tensor]],
        generator: torch.Generator,
    ) -> tuple[float, float]:  # fmt: skip
        """Write the gradient of the mean loss into patch.grad; the loss, and the share of the batch that is fooled."""
        images, answers = next(stream)
        theta, loss = self._theta(images, self.smallest, self.largest, generator), raised(target, answers)
        leaf = patch.detach().requires_grad_(True)
        with torch.enable_grad():
            shown = pasted(images, leaf, self.outline(patch), theta)
        logits, slope = gradient(model, shown.detach().clamp(0, 1).to(dtype_of(model)), loss)
        (patch.grad,) = torch.autograd.grad(shown, leaf, slope.to(shown) / len(images))
        logits = require_finite(logits)
        value, share = torch.stack([loss(logits).mean(), fooled(target, answers, logits)]).tolist()
        return value, share
