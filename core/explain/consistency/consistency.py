"""E: how stably a network's heatmap and answer survive an attack on what the heatmap calls background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.data.imageset import ImageSet
from core.device import device_of
from core.explain.consistency.foreground import NORMALISATIONS, grown, heatmaps, ranked
from core.explain.consistency.similarities import SIMILARITIES, similarity
from core.explain.heatmaps.cam import CAM
from core.explain.heatmaps.gradcam import GradCAM
from core.knobs import Method, knob
from core.networks.batch_size import batch_size
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped

T = TypeVar("T")
RANK, THRESHOLD = CHOSEN_BY = ("rank", "threshold")
SLICE = 250
"""Pictures that are explained and attacked at once on a CPU."""


@dataclass(frozen=True)
class Pair:
    """Pictures x beside x^, whose background was attacked.

    consistency : E (N,) in [0, 1], float64
    similarity : s (N,), of the heatmaps alone
    same_answer : bool (N,), whether the most likely class stayed
    empty : bool (N,), whether the heatmap of x is zero everywhere, so that it has no foreground of its own
    foreground : bool (N, H, W), what was left alone
    images : x^ (N, C, H, W)
    before, after : heatmaps (N, H, W) in [0, 1] of x and x^
    """

    consistency: Tensor
    similarity: Tensor
    same_answer: Tensor
    empty: Tensor
    foreground: Tensor
    images: Tensor
    before: Tensor
    after: Tensor


@dataclass(frozen=True)
class Consistencies:
    """E (N,), the similarity of the maps alone (N,), whether the answer stayed and whether the map of x is empty."""

    consistency: Tensor
    similarity: Tensor
    same_answer: Tensor
    empty: Tensor


@dataclass(frozen=True)
class Consistency(Method):
    """Explanation consistency (Wu, Jiang, Wang, Tang, He, Lin, IEEE Transactions on Multimedia 2024, arXiv 2408.04600).

        E(x, x^) = s(H, H^) [argmax f(x) = argmax f(x^)]

    1. H: the heatmap of x for its true class y. 2. M: its brightest pixels, the foreground. 3. x^: an attack that
    raises CE(f(x^), y) and may change the background alone. M is found once, from x. 4. H^: the heatmap of x^ for y.
    5. s: how alike H and H^ are. All in eval mode; the model is left as it was.

    Of the paper only the abstract could be read. That the background alone is attacked, that the heatmap is the
    network's own, and that E compares heatmaps and answers, is from there and from summaries. Every knob is our choice
    where the paper is silent.
    """

    explainer: Method = knob(GradCAM(), help="our choice: what makes the heatmap")
    normalise: str = knob("max", choices=NORMALISATIONS, help="our choice: how a heatmap is brought to [0, 1]")
    foreground: str = knob(
        RANK, choices=CHOSEN_BY, help="our choice: foreground by rank, a fixed share of the pixels, or by a threshold"
    )
    share: float = knob(
        0.3, low=0.0, high=1.0, step=0.05, symbol="q", help="our choice: share of the pixels that are foreground",
        primary=True,
    )  # fmt: skip
    threshold: float = knob(
        0.5, low=0.01, high=1.0, step=0.05, symbol="τ", help="our choice: foreground from this share of the maximum on"
    )
    grow: int = knob(0, low=-8, high=8, step=1, help="our choice: pixels by which the foreground is widened")
    attack: Method = knob(
        PGD(steps=5, stop_early=False), help="our choice: how the background is attacked; alpha = 0 is noise alone"
    )
    similarity: str = knob("cosine", choices=tuple(SIMILARITIES), help="our choice: how alike two heatmaps are")
    answer: bool = knob(True, help="our choice: E = 0 where the most likely class changes")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.explainer, CAM):
            raise ValueError(f"Consistency.explainer = {self.explainer!r} has no map of a layer; give GradCAM().")
        if not isinstance(self.attack, PGD):
            raise ValueError(f"Consistency.attack = {self.attack!r} keeps to no mask; give PGD(...).")

    def run(self, model: nn.Module, data: ImageSet, *, seed: int = 0) -> Run[Consistencies]:
        """E of all pictures of a set, whose labels the model must know; random starts depend on the place."""
        device, found = device_of(model), []
        size = batch_size(model, data.images[:1].float(), SLICE, gradients=True)
        for start in range(0, len(data), size):
            part = data[start : start + size].to(device)
            pair = yield from _as_part(self.pair(model, part.pixels, part.labels, seed=seed + start), start, data)
            found.append((pair.consistency, pair.similarity, pair.same_answer, pair.empty))
        return Consistencies(*(torch.cat(parts).cpu() for parts in zip(*found, strict=True)))

    def pair(self, model: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Run[Pair]:
        """Everything about pictures (N, C, H, W) in [0, 1] with their labels (N,).

        Raises ValueError in one sentence where the network has no convolutional map, or does not know a label.
        """
        before = self.maps(model, images, labels)
        foreground = self.chosen(before)
        assert isinstance(self.attack, PGD)
        attacked = (yield from self.attack.run(model, images, labels, mask=~foreground, seed=seed)).images
        after = self.maps(model, attacked, labels)
        same = predict(model, images).argmax(1) == predict(model, attacked).argmax(1)
        alike = similarity(self.similarity, before, after)
        empty = (before == 0).all(2).all(1)
        consistency = alike * same if self.answer else alike
        return Pair(consistency, alike, same, empty, foreground, attacked, before, after)

    def maps(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """H (N, H, W) in [0, 1]."""
        assert isinstance(self.explainer, CAM)
        size = images.shape[2], images.shape[3]
        return heatmaps(self.explainer.raw(model, images, labels), size, self.normalise)

    def chosen(self, maps: Tensor) -> Tensor:
        """M (N, H, W) for heatmaps (N, H, W). By threshold, an empty map has no foreground."""
        mask = ranked(maps, self.share) if self.foreground == RANK else maps >= self.threshold
        return grown(mask, self.grow)


def _as_part(run: Run[T], start: int, data: ImageSet) -> Run[T]:
    """`run` on the pictures from `start` on, as progress through all of `data`."""
    return mapped(run, lambda moment: Progress("explain", start + 1, len(data)))
