"""Figures in sentences."""

from __future__ import annotations

FEW = 20
"""Below so many pictures a share is told as a count: "3 of 4", where "75.0 %" would promise more than four say."""


def percent(value: float) -> str:
    """ "93.4 %"."""
    return f"{100 * value:.1f} %"


def share(value: float, n: int | None = None) -> str:
    """ "3 of 4" below `FEW`, "93.4 %" from there on and where n is unknown."""
    return f"{round(value * n)} of {n}" if n and n < FEW else percent(value)


def of_all(value: float, n: int, things: str = "pictures") -> str:
    """ "3 of 4 pictures" below `FEW`, "93.4 % of 500 pictures" from there on."""
    told = share(value, n)
    return f"{told} {things}" if n < FEW else f"{told} of {n} {things}"


def moved(name: str, before: float, after: float, n: int | None = None) -> str:
    """ "accuracy fell from 97.2 % to 95.7 %", or "rose", or "stayed at 97.2 %"; both over the same n images."""
    first, last = share(before, n), share(after, n)
    if first == last:
        return f"{name} stayed at {last}"
    return f"{name} {'rose' if after > before else 'fell'} from {first} to {last}"
