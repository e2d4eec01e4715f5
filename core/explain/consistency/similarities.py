"""How alike two heatmaps are: maps (N, H, W), not negative, -> (N,) in [0, 1], float64.

All are symmetric. Two maps of nothing are alike (1), a map of nothing and another are not (0).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from core.metrics.correlation import rank_correlations

WINDOW = 7
"""Side of the windows of `ssim`, in pixels."""


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """The cosine of the angle between the maps; not changed by a positive factor on either."""
    a, b = first.double().flatten(1), second.double().flatten(1)
    lengths = ((a * a).sum(1) * (b * b).sum(1)).sqrt()
    return (a * b).sum(1) / lengths.where(lengths > 0, 1)


def soft_iou(first: Tensor, second: Tensor) -> Tensor:
    """sum min / sum max, pixel by pixel: intersection over union of maps that need not be 0 or 1."""
    a, b = first.double().flatten(1), second.double().flatten(1)
    union = torch.maximum(a, b).sum(1)
    return torch.minimum(a, b).sum(1) / union.where(union > 0, 1)


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Structural similarity (Wang et al., 2004) for values in [0, 1]: the mean over all windows, cut off below 0."""
    side = min(WINDOW, *first.shape[1:])
    c1, c2 = 0.01**2, 0.03**2

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values[:, None], side, stride=1)[:, 0]

    a, b = first.double(), second.double()
    at, bt = mean(a), mean(b)
    varied = (mean(a * a) - at * at) + (mean(b * b) - bt * bt)
    together = mean(a * b) - at * bt
    found = (2 * at * bt + c1) * (2 * together + c2) / ((at * at + bt * bt + c1) * (varied + c2))
    return found.mean((1, 2)).clamp(0, 1)


def spearman(first: Tensor, second: Tensor) -> Tensor:
    """(1 + rho) / 2 with rho the rank correlation of the pixels; pixels of equal value share the mean of their ranks.

    A map that is the same everywhere ranks nothing: rho is 0, or 1 where both are so.
    """
    flat, too = (maps.flatten(1).amax(1) == maps.flatten(1).amin(1) for maps in (first, second))
    rho = rank_correlations(first, second).nan_to_num(0.0)
    return (1 + rho.masked_fill(flat & too, 1)) / 2


SIMILARITIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cosine": cosine, "soft IoU": soft_iou, "SSIM": ssim, "Spearman": spearman,
}  # fmt: skip


def similarity(name: str, first: Tensor, second: Tensor) -> Tensor:
    """The similarity of this name, with the rule for maps of nothing."""
    nothing, too = ((maps == 0).all(2).all(1) for maps in (first, second))
    found = SIMILARITIES[name](first, second).clamp(0, 1)
    return found.masked_fill(nothing ^ too, 0).masked_fill(nothing & too, 1)
