from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.knobs import knob
from core.triggers.shared.trigger import Trigger


@dataclass(frozen=True)
class BadNets(Trigger):
    """An opaque white square near the lower right corner.

    Gu, Dolan-Gavitt, Garg, "BadNets", 2017 (arXiv 1708.06733): x' = (1 - m) x + m p with a binary
    mask m and a constant pattern p. Nothing outside the square changes.
    """

    side: int = knob(
        3, low=1, high=16, step=1, symbol="|m|", help="side of the square in pixels", paper=3, primary=True
    )
    margin: int = knob(
        0, low=0, high=15, step=1, help="distance from the right and lower edges in pixels", paper=0, primary=True
    )
    shade: float = knob(
        1.0, low=0.0, high=1.0, step=0.05, symbol="p", help="grey level of the square", paper=1.0, primary=True
    )

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        height, width = images.shape[-2:]
        bottom, right = height - self.margin, width - self.margin
        if self.side > min(bottom, right):
            raise ValueError(
                f"BadNets: a square of {self.side} pixels {self.margin} from the edge does not fit into a "
                f"{height} x {width} picture; choose a smaller side or margin."
            )
        triggered = images.clone()
        triggered[..., bottom - self.side : bottom, right - self.side : right] = self.shade
        return triggered
