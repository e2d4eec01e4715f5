"""The regional attack: change only a part of the image until a second model is fooled."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.inputs.regional.masks import frame, scattered, square, strongest
from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.chunks import in_chunks, joined
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, checked_mask, gradient, prepare, trace
from core.device import dtype_of
from core.explain.heatmaps.gradcam import GradCAM
from core.knobs import Method, knob
from core.networks.checks import classes_of, require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

FAMILIES = ("square", "frame", "random", "attention", "unattended", "drawn", "global")
OF_HEATMAP = {"attention": 1, "unattended": -1}
"""Families that the source's own Grad-CAM gives: where it is largest, and where it is smallest."""


@dataclass(frozen=True)
class Regional(Method):
    """Regional adversarial perturbation (Ozbulak et al., ICML-UDL 2020, https://arxiv.org/abs/2007.03198).

    X_0 = x;  X_n = clamp(X_{n-1} - L * alpha · sign(grad CE(f(X_{n-1}), c)), 0, 1) with the region L,
    the same for all channels, and the target class c. There is no eps-ball: the change grows until the
    first step n at which the judge no longer says the label y. So the attack is targeted on its source
    model and counted as untargeted transfer to the judge.

    Without a judge the source judges itself. The area falls short of `area` or exceeds it only by what
    whole pixels force on a square or a frame.
    """

    family: str = knob(
        "square", choices=FAMILIES,
        help="the region: centre square, frame, random pixels, where the source looks most or least (Grad-CAM), drawn, "
        "or everywhere",
        primary=True,
    )
    area: float = knob(0.287, low=0.01, high=1.0, step=0.01, symbol="|L|", help="share of the pixels in the region")
    alpha: float = knob(1 / 255, low=0.0, high=1.0, step=1 / 255, symbol="α", paper=0.0039, help="length of one step")
    steps: int = knob(250, low=1, high=1000, step=1, symbol="n", help="cap on the number of steps")

    def run(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        target: int | Tensor | None = None,
        mask: Tensor | None = None,
        judge: nn.Module | None = None,
        seed: int = 0,
    ) -> Run[Adversarial]:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,).

        target : class (or classes (N,)) the source is driven to; drawn by seed among the others if None
        mask : bool (N or 1, H, W), the region; it takes the place of `family` and `area`
        judge : the second model, which knows the same classes; images are resized to its `input_size`
        seed : draws the targets, the same for every family, and then the random regions

        The report holds, per image, `target`, `source_steps` (first step at which the source says the
        target, -1 for never), `kept` (both models were right on the clean image: the images that a
        figure may count), `judge_queries`, `pixels` (exact size of the region), `region` (bool (N, H, W));
        and `judge_size` (height, width) where images were resized for the judge, which weakens transfer.
        """
        if target is None:
            target = self.targets(model, images, labels, seed=seed)
        problem = prepare(model, images, labels, target, None)
        if judge is not None and (known := classes_of(judge, fitted(judge, problem.images[:1]))) != problem.classes:
            raise ValueError(
                f"The source knows {problem.classes} classes and the judge {known}; transfer can only be judged "
                "between models of the same classes."
            )
        region = self.region(model, problem.images, problem.labels, mask=mask, seed=seed)
        problem = dataclasses.replace(problem, mask=checked_mask(region, problem.images))
        parts = yield from in_chunks(lambda part: self._descend(model, problem[part], judge), model, problem.images)
        return joined(parts)

    def targets(self, model: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Tensor:
        """A class other than the label for each image, drawn uniformly by seed: int64 (N,)."""
        problem = prepare(model, images, labels, None, None)
        if problem.classes < 2:
            raise ValueError("The model knows one class only, so there is no other class to drive it to.")
        generator = torch.Generator().manual_seed(seed)
        shift = torch.randint(1, problem.classes, (len(problem),), generator=generator)
        return (problem.labels + shift.to(problem.labels)) % problem.classes

    def region(
        self, model: nn.Module, images: Tensor, labels: Tensor, *, mask: Tensor | None = None, seed: int = 0
    ) -> Tensor:
        """The region that `run` uses: bool (1, H, W), or (N, H, W) where each image has its own."""
        height, width = images.shape[2:]
        if mask is not None:
            return mask
        if self.family == "drawn":
            raise ValueError("The region is to be drawn, but no mask was given; pass mask=, bool (N or 1, H, W).")
        if self.family == "square":
            return square(self.area, height, width)
        if self.family == "frame":
            return frame(self.area, height, width)
        if self.family == "random":
            # Not the stream that draws the targets: those must not depend on the family.
            generator = torch.Generator().manual_seed(seed + 2**32)
            return scattered(self.area, len(images), height, width, generator)
        if sign := OF_HEATMAP.get(self.family):
            return strongest(self.area, sign * GradCAM()(model, images, labels))
        return torch.ones(1, height, width, dtype=torch.bool)

    def _descend(self, source: nn.Module, problem: Problem, judge: nn.Module | None) -> Run[Adversarial]:
        """One chunk; the source's logits of step n judge X_n, so a run without a judge needs no second pass."""
        adversarial, preview = problem.images.clone(), PreviewRecorder()
        steps, first = torch.zeros_like(problem.labels), torch.full_like(problem.labels, -1)
        success, reached, kept = (torch.zeros_like(problem.labels, dtype=torch.bool) for _ in range(3))
        active = torch.arange(len(problem), device=adversarial.device)
        for step in range(self.steps + 1):
            part = problem[active]
            logits, slope = gradient(source, adversarial[active], part.loss)
            wrong = _verdict(judge, adversarial[active], logits) != part.labels
            steps[active], reached[active] = step, part.solved(logits)
            first[active[reached[active] & (first[active] < 0)]] = step
            if step == 0:
                kept = ~wrong & (logits.argmax(1) == part.labels)
            else:
                success[active] = wrong
                active, slope = active[~wrong], slope[~wrong]
            numbers = trace(part, logits, success=success.float().mean(), source=(first >= 0).float().mean())
            if step == self.steps or not len(active):
                break
            adversarial[active] = (adversarial[active] + self.alpha * problem[active].allowed(slope).sign()).clamp(0, 1)
            pictures, factor = preview(problem.images, adversarial)
            yield Progress("attack", step + 1, self.steps, numbers | factor, pictures)
        assert problem.mask is not None
        region = problem.mask[:, 0]
        report: dict[str, Any] = {
            "target": problem.goal, "source_steps": first, "kept": kept, "region": region,
            "pixels": region.flatten(1).sum(1), "judge_queries": (steps + 1) * (judge is not None),
        }
        if judge is not None and (size := other_size(judge, adversarial)) is not None:
            report["judge_size"] = size
        norms = norms_of(problem.images, adversarial)
        return Adversarial(adversarial, success, reached, norms, steps, steps + 1, report)


def _verdict(judge: nn.Module | None, images: Tensor, logits: Tensor) -> Tensor:
    """The class the judge gives each image, int64 (N,); without a judge, the one in the source's logits."""
    if judge is not None:
        logits = require_finite(predict(judge, fitted(judge, images)))
    return logits.argmax(1).to(images.device)


def other_size(judge: nn.Module, images: Tensor) -> tuple[int, int] | None:
    """The judge's input size (height, width) where it names one that differs from the images'."""
    size = getattr(judge, "input_size", None)
    if size is None or tuple(size[-2:]) == tuple(images.shape[2:]):
        return None
    return int(size[-2]), int(size[-1])


def fitted(judge: nn.Module, images: Tensor) -> Tensor:
    """The images in the judge's dtype and at its input size, bilinear with antialiasing."""
    size = other_size(judge, images)
    if size is not None:
        images = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True).clamp(0, 1)
    return images.to(dtype_of(judge))


def right_for_both(source: nn.Module, judge: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which images both models classify as their label, bool (N,): the only ones a figure may count."""
    device = images.device
    ours = predict(source, images).argmax(1).to(device) == labels
    return ours & (_verdict(judge, images, images) == labels)
