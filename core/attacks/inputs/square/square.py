"""The Square attack: change one square after the other and keep what lowers the margin."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.attacks.inputs.square.proposals import proposals
from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.budgeted import Budgeted
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, trace
from core.attacks.shared.squares import share_of_pixels
from core.knobs import knob
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run


@dataclass(frozen=True)
class Square(Budgeted):
    """Square Attack (Andriushchenko et al., ECCV 2020, https://arxiv.org/abs/1912.00049).

    No gradient: the model is asked for its logits only. The image starts with vertical stripes (linf) or tiles (l2) of
    the whole budget. Then a square at a random place is changed, in each channel by a random sign, and the change is
    kept where it lowers the margin z_y - max of the others. A square holds the share p of the pixels at first, and
    p is halved after 10, 50, 200, … of 10,000 queries.

    linf : the square moves to x + eps or x - eps.
    l2 : one window of the change is emptied, and its norm goes to another in the shape of two opposite peaks.

    All images share the squares and signs, as in AutoAttack. `rescale` fits the schedule of p to the number of
    queries; AutoAttack does not. An image without success is returned as the search left it.
    """

    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of the change is measured")
    queries: int = knob(
        1000, low=1, high=100_000, step=100, symbol="Q", paper=10_000, help="proposals per image at most", primary=True
    )
    share: float = knob(0.8, low=0.01, high=1.0, step=0.05, paper=0.05, help="of the pixels, in the first square")
    rescale: bool = knob(True, help="fit the schedule of the square's size to the number of queries")

    def attack(self, model: nn.Module, problem: Problem, generator: torch.Generator) -> Run[Adversarial]:
        """The search for one slice."""
        images, steps = problem.images.clone(), torch.zeros_like(problem.labels)
        margin = problem.margin(require_finite(predict(model, images)))
        queries, preview = torch.ones_like(problem.labels), PreviewRecorder()
        made = proposals(self.norm)
        for step in range(self.queries + 1):
            left = (margin >= 0).nonzero()[:, 0]
            if not len(left):
                break
            part, now = problem[left], images[left]
            if step == 0:
                tried = made.start(part, generator)
            else:
                share = share_of_pixels(self.share, step - 1, self.queries if self.rescale else 10_000)
                tried = made.propose(part, now, share, generator)
            logits = require_finite(predict(model, tried))
            value = part.margin(logits)
            better = (value < margin[left]) | (value < 0) | (step == 0)
            at = left[better]
            images[at], margin[at], steps[at] = tried[better], value[better], step
            queries[left] += 1
            numbers = trace(part, logits, success=(margin < 0).float().mean())
            pictures, factor = preview(problem.images, images)
            yield Progress("attack", step + 1, self.queries + 1, numbers | factor, pictures)
        success = margin < 0
        return Adversarial(images, success, success, norms_of(problem.images, images), steps, queries)
