"""Local against global: what restricting an attack to a region costs and saves, image by image.

The rules of a fair comparison: only images that both models classify correctly; one target class per
image, the same for every region; same step length, cap and stop rule; transfer rates over all these
images; norms compared only where both runs succeeded, as ratios of the same image, with their n.
L0 falls by construction, since a region holds fewer pixels; L2 and Linf are the interesting part.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks.inputs.regional.regional import Regional
from core.attacks.shared.adversarial import Adversarial, norms_of
from core.metrics.intervals import bootstrap


@dataclass(frozen=True)
class Ratio:
    """Local norm / global norm over the images where both attacks succeeded.

    mean, median : of the ratios (NaN where n is 0)
    interval : 95 % bootstrap interval of the median; None for fewer than two images
    lower : share of the images whose local norm is the smaller one
    n : images behind the three
    """

    mean: float
    median: float
    lower: float
    n: int
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    n : images, all of them right for both models before the attack
    local_rate, global_rate : share of the n images that transfer
    kept_rate : share of the n_global images whose global attack transfers for which the local one does too
    n_global, n_both : images whose global attack, and whose both attacks, succeeded
    ratios : "l0", "l2", "linf" -> Ratio over the n_both images
    """

    n: int
    local_rate: float
    global_rate: float
    kept_rate: float
    n_global: int
    n_both: int
    ratios: dict[str, Ratio]


def global_counterpart(attack: Regional) -> Regional:
    """The same attack on the whole image. Run it with the same seed (or `target`) for the same targets."""
    return dataclasses.replace(attack, family="global")


def compare(local: Adversarial, everywhere: Adversarial) -> Comparison:
    """Paired figures of a local and a global `Regional` run on the same images with the same targets.

    Images that a model got wrong before the attack are left out. Raises ValueError where the two
    runs do not belong together.
    """
    same = len(local) == len(everywhere) and all(
        bool((local.report[name] == everywhere.report[name]).all()) for name in ("target", "kept")
    )
    if not same:
        raise ValueError("The two runs differ in images or targets; run both on the same images with the same seed.")
    local, everywhere = local[local.report["kept"]], everywhere[everywhere.report["kept"]]
    both = local.success & everywhere.success
    return Comparison(
        n=len(local),
        local_rate=_mean(local.success),
        global_rate=_mean(everywhere.success),
        kept_rate=_mean(local.success[everywhere.success]),
        n_global=int(everywhere.success.sum()),
        n_both=int(both.sum()),
        ratios={name: _ratio(local.norms[name][both], everywhere.norms[name][both]) for name in local.norms},
    )


def _ratio(local: Tensor, everywhere: Tensor) -> Ratio:
    if not len(local):
        return Ratio(math.nan, math.nan, math.nan, 0)
    ratios = local.cpu().double() / everywhere.cpu().double()
    # quantile, not median(): the lower of two middle values would be a biased middle.
    return Ratio(
        float(ratios.mean()), float(ratios.quantile(0.5)), _mean(local < everywhere), len(local),
        bootstrap(ratios.tolist(), of="median"),
    )  # fmt: skip


def _mean(hits: Tensor) -> float:
    return hits.float().mean().item() if len(hits) else math.nan


def loading_slip(images: Tensor, adversarial: Tensor | None = None) -> dict[str, Tensor]:
    """What dividing bytes by 224 instead of 255 adds to the norms before any attack: "l0", "l2", "linf" (N,).

    The authors' code does this. Pixels reach 255 / 224 = 1.138, and the first clamp to [0, 1] then changes
    bright pixels everywhere, also outside the region. With `adversarial`, the norms of that attack's changes, had
    the images been loaded so.
    """
    bright = images * (255 / 224)
    change = 0.0 if adversarial is None else adversarial - images
    return norms_of(bright, torch.clamp(bright + change, 0, 1))
