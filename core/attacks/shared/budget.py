"""Balls of different norms that are usually compared with each other."""

from __future__ import annotations

import math


def radius(eps: float, norm: str, size: tuple[int, int]) -> float:
    """The radius in `norm` that is usually set beside eps in L-infinity, for pictures of height and width `size`.

    eps sqrt(H W) / 2 in L2 and 3/8 eps H W in L1: for 8/255 at 32 x 32 these are RobustBench's 0.5 and AutoAttack's 12.
    """
    pixels = size[0] * size[1]
    return eps * {"linf": 1.0, "l2": math.sqrt(pixels) / 2, "l1": 3 * pixels / 8}[norm]
