"""Attacks in turn, each on the survivors of those before, with a record of what each did."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.chunks import in_chunks, joined
from core.attacks.shared.problem import Problem
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped

Attack = Callable[[nn.Module, Problem], Run[Adversarial]]
"""An attack on the images of a slice."""


@dataclass(frozen=True)
class Stage:
    """One stage: its attack's name, the images that it was given, how many of them it broke, the passes that it spent
    on all of them together, and its seconds."""

    name: str
    attacked: int
    broken: int
    queries: int
    seconds: float


class Cascade:
    """The stages so far, and what they left of the images.

    stage_of : int64 (N,), the stage that broke the image, from 1; 0 for wrong from the start, -1 for a survivor
    """

    def __init__(self, problem: Problem, wrong: Tensor, queries: int):
        """wrong : bool (N,), broken from the start;  queries : passes that were spent on each image before"""
        self.problem, self.images, self.stages = problem, problem.images.clone(), list[Stage]()
        self.stage_of = torch.where(wrong, 0, -1)
        self.steps, self.queries = torch.zeros_like(problem.labels), torch.full_like(problem.labels, queries)

    @property
    def left(self) -> Tensor:
        """The places of the survivors."""
        return (self.stage_of < 0).nonzero()[:, 0]

    def stage(self, name: str, attack: Attack, model: nn.Module) -> Run[None]:
        """One attack on the survivors. Its progress is told under its name, with "robust", the share of all images
        that still stands. The model is asked about each success once more."""
        left, began = self.left, time.perf_counter()
        part, fallen = self.problem[left], 0

        def told(progress: Progress, size: int) -> Progress:
            still = len(left) - fallen - progress.metrics["success"] * size
            robust = {"robust": still / len(self.problem)}
            return dataclasses.replace(progress, stage=name, metrics=progress.metrics | robust)

        def sliced(rows: slice) -> Run[Adversarial]:
            nonlocal fallen
            given = part[rows]
            found = yield from mapped(attack(model, given), lambda progress: told(progress, len(given)))
            fallen += int(found.success.sum())
            return found

        found = joined((yield from in_chunks(sliced, model, part.images)))
        broken = found.success & part.solved(require_finite(predict(model, found.images)))
        at, spent = left[broken], found.queries + 1
        self.images[at], self.steps[at], self.stage_of[at] = found.images[broken], found.steps[broken], self._number
        self.queries[left] += spent
        self.stages.append(Stage(name, len(left), len(at), int(spent.sum()), time.perf_counter() - began))

    @property
    def _number(self) -> int:
        return 1 + len(self.stages)

    def result(self, warnings: list[str]) -> Adversarial:
        """The adversarial image where there is one, the image itself where it is robust."""
        broken = self.stage_of >= 0
        report = {
            "stage": self.stage_of, "stages": self.stages, "robust": 1 - broken.float().mean().item(),
            "warnings": warnings,
        }  # fmt: skip
        norms = norms_of(self.problem.images, self.images)
        return Adversarial(self.images, broken, broken, norms, self.steps, self.queries, report)
