"""When Auto-PGD looks back at its progress."""

from __future__ import annotations

FIRST, LAST, SHORTER = 0.22, 0.06, 0.03
"""The first window, the shortest one, and by how much each is shorter than the one before: shares of all steps."""


def checkpoints(steps: int) -> dict[int, int]:
    """The step of each look back, and the number of steps since the one before: {22: 22, 41: 19, …} for 100 steps."""
    found, at, window = {}, 0, max(int(FIRST * steps), 1)
    while (at := at + window) <= steps:
        found[at] = window
        window = max(window - max(int(SHORTER * steps), 1), max(int(LAST * steps), 1))
    return found
