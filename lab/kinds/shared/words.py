"""Figures in sentences."""

from __future__ import annotations


def percent(share: float) -> str:
    """ "93.4 %"."""
    return f"{100 * share:.1f} %"


def moved(name: str, before: float, after: float) -> str:
    """ "accuracy fell from 97.2 % to 95.7 %", or "rose", or "stayed at 97.2 %"."""
    if percent(before) == percent(after):
        return f"{name} stayed at {percent(after)}"
    return f"{name} {'rose' if after > before else 'fell'} from {percent(before)} to {percent(after)}"


def of_all(share: float, n: int, things: str = "pictures") -> str:
    """ "4 of 4 pictures" for a few, "93.4 % of 500 pictures" for many."""
    return f"{round(share * n)} of {n} {things}" if n < 100 else f"{percent(share)} of {n} {things}"
