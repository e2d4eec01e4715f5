from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of, in_batches
from core.knobs import knob
from core.networks.layout import training_copy
from core.networks.predictions import predict
from core.runs import Progress, Run
from core.triggers.shared.offline import OfflineTrigger, require_target

BATCH = 50
"""Pictures whose steps are found side by side and added to the pattern together."""


@dataclass(frozen=True)
class LowFrequency(OfflineTrigger):
    """One smooth pattern added to every picture, fitted as a universal perturbation of a clean network.

    Zeng, Park, Mao, Jia, "Rethinking the Backdoor Attacks' Triggers: A Frequency Perspective", ICCV 2021 (arXiv
    2104.03413): x' = clip(x + v), where v is a universal perturbation towards the class t, smoothed as it grows:

        v <- G(v + G(Δ)),   v <- A (v - min v) / (max v - min v)

    Δ is the targeted DeepFool step of a picture that v does not lead to t yet, G a separable Gaussian low-pass. The
    steps of 50 pictures are found side by side and added up, where the paper takes one picture after the other, and
    the v with which the network is surest of t is kept. v lies in [0, A] in steps of 1/255, so it brightens: the
    control is `brightened`. `state` holds "pattern" v / A (1, C, H, W); it is resized to pictures of another size.
    """

    amplitude: float = knob(
        51 / 255,
        low=0.0,
        high=1.0,
        step=3 / 255,
        symbol="A",
        help="largest value of the pattern",
        paper=51 / 255,
        primary=True,
    )
    std: float = knob(
        6.0, low=0.5, high=16.0, step=0.5, symbol="σ", help="width of the low-pass in pixels", paper=6.0, primary=True
    )
    pictures: int = knob(100, low=10, high=2000, step=10, help="pictures the pattern is fitted on")
    passes: int = knob(10, low=1, high=50, step=1, help="passes over these pictures, at most", paper=50)
    share: float = knob(0.8, low=0.0, high=1.0, step=0.05, help="share led to the target that is enough")
    steps: int = knob(10, low=1, high=200, step=1, help="DeepFool steps for a picture, at most", paper=200)
    overshoot: float = knob(0.02, low=0.0, high=1.0, step=0.01, help="how far beyond the boundary", paper=0.02)

    dials: ClassVar[tuple[str, ...]] = ("amplitude",)

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        return (images + self.v(images)).clamp(0, 1)

    def brightened(self, images: Tensor) -> Tensor:
        """The control: brighter by the pattern's mean everywhere, without the pattern."""
        return (images + self.v(images).mean()).clamp(0, 1)

    def v(self, images: Tensor) -> Tensor:
        """The pattern (1, C, H, W) in [0, A], in the size of `images`."""
        pattern = self.learned("pattern", images)
        if pattern.shape[2:] != images.shape[2:]:
            pattern = F.interpolate(pattern, images.shape[2:], mode="bilinear", align_corners=False)
        return self._levels(pattern)

    def fit(self, model: nn.Module, train: ImageSet, *, target: int, seed: int = 0) -> Run[Self]:
        """The pattern for `model`, a clean one, found on pictures of `train` that are not of the class `target`.

        Ends as soon as `share` of these pictures are led to the target. Progress: "share" and the pattern. Raises
        ValueError where the model has no class `target` or `train` holds no other.
        """
        twin = training_copy(model, train.images).requires_grad_(False)
        require_target("LowFrequency", twin, train, target)
        images = self._chosen(train, target, seed).to(device_of(twin))
        batches = images.split(BATCH)
        kernel = gaussian(self.std).to(images)
        v = best = torch.zeros_like(images[:1])
        surest, total = -1.0, self.passes * len(batches)
        for step in range(1, total + 1):
            batch = batches[(step - 1) % len(batches)]
            change = yield from self._change(twin, (batch + v).clamp(0, 1), target, (step, total))
            v = low_pass(v + low_pass(change.sum(0, keepdim=True), kernel), kernel)
            pattern = spread(v)
            v = self._levels(pattern)
            answers = predict(twin, (images + v).clamp(0, 1)).softmax(1)
            share = (answers.argmax(1) == target).float().mean().item()
            sure = answers[:, target].mean().item()
            if sure > surest or share >= self.share:
                best, surest = pattern, sure
            yield Progress("fit", step, total, {"share": share, "sure": sure}, {"pattern": v[0]})
            if share >= self.share:
                break
        return self.with_state({"pattern": best.cpu()})

    def _chosen(self, train: ImageSet, target: int, seed: int) -> Tensor:
        """`pictures` pictures of other classes than the target, float (N, C, H, W)."""
        others = torch.nonzero(train.labels.cpu() != target)[:, 0]
        if not len(others):
            raise ValueError(f"LowFrequency needs pictures of other classes than {target}; the data hold none.")
        order = torch.randperm(len(others), generator=torch.Generator().manual_seed(seed))
        return train[others[order[: self.pictures]].to(train.images.device)].pixels

    def _change(self, model: nn.Module, images: Tensor, target: int, where: tuple[int, int]) -> Run[Tensor]:
        """Δ (N, C, H, W), targeted DeepFool: r += (f_k - f_t) / |w|² w with w = ∇(f_t - f_k), k the class now.

        0 for images that are at the target already.
        """

        def moved(some: Tensor, r: Tensor) -> Tensor:
            x = (some + (1 + self.overshoot) * r).requires_grad_()
            logits = model(x)
            gap = logits.max(1).values - logits[:, target]
            w = -torch.autograd.grad(gap.sum(), x)[0]
            length = w.square().sum((1, 2, 3)).clamp_min(1e-12)
            return r + (gap.detach() / length).view(-1, 1, 1, 1) * w

        r = torch.zeros_like(images)
        for _ in range(self.steps):
            before, r = r, in_batches(moved, images, r, size=len(images))
            if torch.equal(before, r):
                break
            yield Progress("fit", *where)
        return (1 + self.overshoot) * r

    def _levels(self, pattern: Tensor) -> Tensor:
        """A pattern in [0, 1] as v, in the 256 levels of a picture."""
        return (self.amplitude * pattern * 255).round() / 255


def spread(v: Tensor) -> Tensor:
    """(v - min v) / (max v - min v); a flat v becomes 0."""
    return (v - v.min()) / (v.max() - v.min()).clamp_min(1e-12)


def gaussian(std: float) -> Tensor:
    """The weights of a Gaussian low-pass, cut off at 2.5 standard deviations each way; they sum to 1."""
    reach = max(1, round(2.5 * std))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / std).square())
    return weights / weights.sum()


def low_pass(v: Tensor, kernel: Tensor) -> Tensor:
    """v (1, C, H, W) smoothed along rows and columns; beyond its edge a picture goes on as its edge."""
    channels, reach = v.shape[1], len(kernel) // 2
    for shape, pad in (((1, -1), (reach, reach, 0, 0)), ((-1, 1), (0, 0, reach, reach))):
        weight = kernel.view(1, 1, *shape).expand(channels, 1, -1, -1)
        v = F.conv2d(F.pad(v, pad, mode="replicate"), weight, groups=channels)
    return v
