"""An attack whose pictures have a budget: what every run of one is given, and the problem that follows from it."""

from __future__ import annotations

from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.problem import Problem, prepare
from core.knobs import Method
from core.runs import Run


class Prepared(Method):
    """What differs is `attacked`. A subclass has the knob `eps`, the budget of every image."""

    eps: float

    def attacked(self, model: nn.Module, problem: Problem, seed: int) -> Run[Adversarial]:
        """The attack on all images."""
        raise NotImplementedError

    def run(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        target: int | Tensor | None = None,
        mask: Tensor | None = None,
        eps: Tensor | None = None,
        seed: int = 0,
    ) -> Run[Adversarial]:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,).

        target : None to leave the label, else the class (or classes (N,)) to reach
        mask : bool (N or 1, H, W), where pixels may change
        eps : a budget for each image (N,), in place of the knob
        seed : of what is drawn, such that what becomes of an image does not depend on how many others there are
        """
        problem = prepare(model, images, labels, target, mask, self.eps if eps is None else eps)
        return (yield from self.attacked(model, problem, seed))
