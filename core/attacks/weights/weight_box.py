"""A box around a network's weights, and how far within it they have moved."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BOXES = ("absolute", "relative")

PERCENTILES = (25, 50, 75, 90)

EDGES = torch.logspace(-6, 1, 57)
"""Edges of the histogram of relative changes, eight to a decade; what lies outside counts in the last bin there."""


class Box:
    """The weights that lie within reach of theta0, the parameters of `model` as it stands now.

    "absolute" : abs(theta - theta0) <= eps, the same for every weight
    "relative" : abs(theta - theta0) <= eps abs(theta0), so the box is as wide for -w as for w, and a
        weight of zero cannot move
    """

    def __init__(self, model: nn.Module, eps: float, kind: str):
        self.sides: list[tuple[Tensor, Tensor]] = []
        for theta in model.parameters():
            start = theta.detach().clone()
            reach = eps * start.abs() if kind == "relative" else eps
            self.sides.append((start - reach, start + reach))

    def project(self, model: nn.Module) -> None:
        """Put every weight of `model` back onto its box, in place."""
        with torch.no_grad():
            for theta, (low, high) in zip(model.parameters(), self.sides, strict=True):
                theta.clamp_(low, high)


def weight_distance(original: nn.Module, changed: nn.Module) -> dict[str, Tensor | float]:
    """How far the parameters moved.

    "change/l1", "change/l2", "change/linf" : norms of dw, all parameters together
    "relative/mean", "relative/25" … "relative/90" : mean and percentiles of abs(dw) / abs(w), over
        the weights that were not zero
    "relative/histogram", "relative/edges" : counts (56,) between edges (57,), evenly spaced in log10
    """
    before, after = (torch.cat([p.detach().flatten().float() for p in net.parameters()]) for net in (original, changed))
    moved, size = (after - before).abs(), before.abs()
    relative = (moved[size > 0] / size[size > 0]).sort().values.cpu()
    report: dict[str, Tensor | float] = {
        "change/l1": moved.sum().item(), "change/l2": moved.norm().item(), "change/linf": moved.max().item(),
        "relative/mean": relative.mean().item(),
    }  # fmt: skip
    for percent in PERCENTILES:
        report[f"relative/{percent}"] = relative[round(percent / 100 * (len(relative) - 1))].item()
    inside = relative.clamp(EDGES[0].item(), EDGES[-1].item())
    return report | {"relative/histogram": torch.histogram(inside, EDGES).hist.long(), "relative/edges": EDGES.clone()}
