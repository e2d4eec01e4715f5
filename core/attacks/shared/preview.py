"""Pictures of an attack while it runs."""

from __future__ import annotations

import time

from torch import Tensor


class PreviewRecorder:
    """Pictures of the first image, at most every `pause` seconds: copying at each step would slow small nets."""

    def __init__(self, pause: float = 0.25):
        self.pause, self.last = pause, -float("inf")

    def __call__(self, images: Tensor, adversarial: Tensor) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Pictures "adversarial" and "perturbation" (C, H, W) on the CPU, and the metric "magnification".

        The perturbation is drawn around grey and scaled until its largest value fills the range; the
        factor belongs beside the picture. Both are empty when it is too soon for another picture.
        """
        if time.monotonic() - self.last < self.pause:
            return {}, {}
        self.last = time.monotonic()
        clean, now = images[0].detach().cpu(), adversarial[0].detach().cpu().clone()
        picture, factor = magnified(now - clean)
        return {"adversarial": now, "perturbation": picture}, {"magnification": factor}


def magnified(change: Tensor) -> tuple[Tensor, float]:
    """A change (..., H, W) as a picture 0.5 + k·change in [0, 1], and the magnification k (1 for no change)."""
    largest = change.abs().max().item()
    factor = 0.5 / largest if largest > 0 else 1.0
    return (0.5 + factor * change).clamp(0, 1), factor
