"""An attack that draws nothing at random: its images are attacked slice by slice, each in the same way."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.chunks import in_chunks, joined
from core.attacks.shared.problem import Problem, prepare
from core.knobs import Method
from core.runs import Run


@dataclass(frozen=True)
class Drawless(Method):
    """What differs is `attack`."""

    def attack(self, model: nn.Module, problem: Problem) -> Run[Adversarial]:
        """The attack on the images of one slice."""
        raise NotImplementedError

    def run(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        target: int | Tensor | None = None,
        mask: Tensor | None = None,
        seed: int = 0,
    ) -> Run[Adversarial]:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,).

        target : None to leave the label, else the class (or classes (N,)) to reach
        mask : bool (N or 1, H, W), where pixels may change
        seed : not used, nothing is drawn
        """
        problem = prepare(model, images, labels, target, mask)
        return joined((yield from in_chunks(lambda part: self.attack(model, problem[part]), model, problem.images)))
