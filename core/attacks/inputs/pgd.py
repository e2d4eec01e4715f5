"""PGD: small gradient steps, projected back onto the ball around the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.ascent import ascend
from core.attacks.shared.balls import projected, size, steepest
from core.attacks.shared.chunks import in_chunks, joined
from core.attacks.shared.prepared import Prepared
from core.attacks.shared.problem import Problem
from core.knobs import knob
from core.runs import Run


@dataclass(frozen=True)
class PGD(Prepared):
    """Projected gradient descent (Madry et al., ICLR 2018, https://arxiv.org/abs/1706.06083).

    x_0 = x, or a random point of the ball; then x_t = P(x_{t-1} + alpha · d(grad CE(f(x_{t-1}), y))),
    where P is the projection on the eps-ball around x and on [0, 1].
    linf : d = sign, ball max |x_t - x| <= eps. Without random start this is BIM.
    l2 : d(g) = g / ||g||, ball ||x_t - x||_2 <= eps per image, over all its pixels. The random start
        has a uniform direction and a radius U(0, 1) · eps.
    l1 : d moves the hundredth of the values whose |g| is largest, ball ||x_t - x||_1 <= eps. P is the exact
        projection on ball and box at once; the random start as in l2. A useful eps is about 12 at 32 pixels.

    With `stop_early` an image leaves the batch at its first success, so success counts at any iterate
    and the returned change is smaller than the ball allows; an image that is wrong from the start is
    returned as it is. Without, every image takes all steps and the last iterate is judged.
    Restarts attack only the images that survived, and keep the try with the highest loss.
    """

    norm: str = knob("linf", choices=("linf", "l2", "l1"), symbol="p", help="how the size of the change is measured")
    eps: float = knob(
        8 / 255, low=0.0, high=100.0, step=1 / 255, symbol="ε", help="radius of the ball, pixels in 0-1", primary=True
    )
    alpha: float = knob(2 / 255, low=0.0, high=100.0, step=1 / 255, symbol="α", help="length of a step, pixels in 0-1")
    steps: int = knob(10, low=1, high=1000, step=1, symbol="T", paper=20, help="gradient steps per try", primary=True)
    random_start: bool = knob(True, help="begin at a random point of the ball instead of at the image")
    restarts: int = knob(1, low=1, high=50, step=1, symbol="R", help="tries with new random starts, on survivors only")
    stop_early: bool = knob(True, help="drop each image from the batch at its first success")

    def attacked(self, model: nn.Module, problem: Problem, seed: int) -> Run[Adversarial]:
        """All tries. The random starts depend on an image's place in the batch, not on its size."""
        generator = torch.Generator().manual_seed(seed)
        left = torch.arange(len(problem), device=problem.images.device)
        best: Adversarial | None = None
        for _ in range(self.restarts if self.random_start else 1):
            start = self.start(problem.images, generator=generator, allowed=problem.allowed, eps=problem.eps)
            climb = partial(self._climb, model, problem[left], start[left])
            tried = joined((yield from in_chunks(climb, model, problem.images[left])))
            best = tried if best is None else _better(best, tried, left)
            left = (~best.success).nonzero()[:, 0]
            if not len(left):
                break
        assert best is not None
        return best

    def start(
        self,
        x: Tensor,
        *,
        generator: torch.Generator | None = None,
        allowed: Callable[[Tensor], Tensor] = lambda change: change,
        eps: Tensor | None = None,
    ) -> Tensor:
        """x_0 for all images x (N, C, H, W).

        generator : draws on the CPU, for all images at once, so that chunks and devices change nothing; without one
            PyTorch's own random numbers on the device of the images are taken, as in a training
        allowed : a change with zeros where none may be
        eps : the radii (N, 1, 1, 1), in place of the knob
        """
        if not self.random_start:
            return x
        device = x.device if generator is None else torch.device("cpu")
        ball = self.eps if eps is None else eps
        if self.norm == "linf":
            noise = torch.rand(x.shape, generator=generator, device=device).to(x) * 2 - 1
            return (x + ball * allowed(noise)).clamp(0, 1)
        direction = allowed(torch.randn(x.shape, generator=generator, device=device).to(x))
        if self.norm == "l1":  # exponential lengths with random signs: uniform on the sphere of the L1 norm
            drawn = torch.rand(x.shape, generator=generator, device=device).to(x).clamp_min(1e-12)
            direction = direction.sign() * -drawn.log()
        radius = torch.rand(len(x), generator=generator, device=device).to(x)[:, None, None, None]
        unit = direction / size(direction, self.norm).clamp_min(1e-12)[:, None, None, None]
        return (x + ball * radius * unit).clamp(0, 1)

    def _climb(self, model: nn.Module, problem: Problem, start: Tensor, chunk: slice) -> Run[Adversarial]:
        """One try for one chunk."""

        def advance(now: Tensor, slope: Tensor, part: Problem, places: Tensor) -> Tensor:
            return self.step(now, slope, part.images, part.eps)

        return ascend(model, problem[chunk], start[chunk], self.steps, advance, stop_early=self.stop_early)

    def step(self, now: Tensor, slope: Tensor, x: Tensor, eps: Tensor | None = None) -> Tensor:
        """P(now + alpha · d(slope)) for the images x; where the slope is zero, pixels stay bit for bit.

        eps : the radii (N, 1, 1, 1), in place of the knob
        """
        moved = now + self.alpha * steepest(slope, self.norm, now)
        return projected(moved, x, self.eps if eps is None else eps, self.norm)


def _better(best: Adversarial, tried: Adversarial, left: Tensor) -> Adversarial:
    """`best` with the images at `left` replaced where the new try succeeded or raised the loss."""
    wins = tried.success | (tried.report["loss"] > best.report["loss"][left])
    at = left[wins]
    queries = best.queries.index_add(0, left, tried.queries)

    def merged(old: Tensor, new: Tensor) -> Tensor:
        return old.index_copy(0, at, new[wins])

    return Adversarial(
        merged(best.images, tried.images),
        merged(best.success, tried.success),
        merged(best.source_success, tried.source_success),
        {name: merged(best.norms[name], tried.norms[name]) for name in best.norms},
        merged(best.steps, tried.steps),
        queries,
        {"loss": merged(best.report["loss"], tried.report["loss"])},
    )
