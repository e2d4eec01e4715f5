"""STRIP: an input whose prediction does not change under overlaid pictures probably carries a trigger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.detection import Detection, check_suspects
from core.device import device_of
from core.knobs import Method, knob
from core.networks.predictions import predict
from core.runs import Progress, Run

BLENDS = 500
"""Superimposed pictures between two moments of progress."""

HELD = 200
"""Clean images that set the threshold, at most: enough for a quantile of 5 %."""


@dataclass(frozen=True)
class STRIP(Method):
    """Strong intentional perturbation (Gao et al., ACSAC 2019, arXiv 1902.06531), an input-time detector.

    Each input x is superimposed with n clean images, x_i = clip(x + alpha c_i), and scored by the mean
    entropy H = -1/n sum_i sum_k p_k(x_i) ln p_k(x_i), in [0, ln K] nats. On a picture without
    trigger the answer changes with the overlay; on a triggered one it stays the target, so H is low. The
    threshold is the lower `fpr` quantile of H on clean inputs. Weak where the trigger differs from
    picture to picture or does not survive the overlay, such as a warp.

    blend="mix" is the convex blend (1 - alpha) x + alpha c_i, which dims the trigger as well.
    `STRIP.paper()` has the overlays, weight and false positive rate of the BackdoorBench scripts
    (Wu et al., 2022), which add normalised images, without the clip.
    """

    overlays: int = knob(
        32, low=1, high=200, step=1, symbol="n", help="clean pictures laid over each one", paper=100, primary=True
    )
    alpha: float = knob(0.5, low=0.05, high=1.0, step=0.05, symbol="α", help="weight of the overlay", paper=1.0)
    blend: str = knob(
        "sum", choices=("sum", "mix"), help="added to the picture, or mixed with it", paper="sum", primary=True
    )
    fpr: float = knob(
        0.05, low=0.01, high=0.5, step=0.01, symbol="q", help="share of clean pictures flagged by mistake", paper=0.1
    )

    #: It judges single inputs of a model in use.
    suspects: ClassVar[str] = "inputs"
    #: What its score is, for an axis.
    score: ClassVar[str] = "minus the mean entropy (nats)"

    def run(
        self, model: nn.Module, suspects: ImageSet, *, clean: ImageSet | None = None, seed: int = 0
    ) -> Run[Detection]:
        """Scores -H (N,) of the suspects, whose labels are not looked at.

        `clean` are held-out clean images, none of them a suspect: n of them, drawn by `seed`, are
        the overlays, the same for every input, and up to 200 others set the threshold. `report`: "entropy"
        (N,) and "clean/entropy" (M,) in nats. Raises ValueError without clean images or with too few,
        for weights that are not finite, and for classes that do not match.
        """
        check_suspects("STRIP", model, suspects)
        if clean is None or len(clean) < 2 * self.overlays:
            got = "none" if clean is None else len(clean)
            raise ValueError(
                f"STRIP needs held-out clean images, {self.overlays} to lay over and as many to set its threshold; "
                f"give clean= at least {2 * self.overlays} (it got {got})."
            )
        device = device_of(model)
        laid, held = clean.split(self.overlays / len(clean), seed)
        over = laid.images.to(device).float().div_(255)
        usual = yield from self._entropies("threshold", model, held[:HELD], over)
        entropy = yield from self._entropies("suspects", model, suspects, over)
        threshold = torch.quantile(usual, self.fpr).item()
        return Detection(-entropy, entropy < threshold, -threshold, {"entropy": entropy, "clean/entropy": usual})

    def _entropies(self, stage: str, model: nn.Module, data: ImageSet, over: Tensor) -> Run[Tensor]:
        """H of each image of `data`, (N,)."""
        parts, slices = [], data.images.split(max(1, BLENDS // len(over)))
        for step, part in enumerate(slices, start=1):
            blends = self.superimposed(part.to(over.device).float().div_(255), over)
            shares = predict(model, blends.flatten(0, 1)).softmax(1)
            entropy = torch.special.entr(shares).sum(1).view(len(part), len(over)).mean(1)
            parts.append(entropy.cpu())
            yield Progress(stage, step, len(slices), {"entropy": entropy.mean().item()})
        return torch.cat(parts)

    def superimposed(self, images: Tensor, over: Tensor) -> Tensor:
        """Every image (N, C, H, W) under every overlay (n, C, H, W), all in [0, 1]: (N, n, C, H, W)."""
        if self.blend == "mix":
            return torch.lerp(images[:, None], over[None], self.alpha)
        return (images[:, None] + self.alpha * over[None]).clamp(0, 1)
