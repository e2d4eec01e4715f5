"""Answers to a question that more than one page asks."""

from __future__ import annotations

COST = {
    "less than half": "Half a point or less", "up to two": "Up to two points", "up to five": "Two to five points",
    "more than five": "More than five points",
}  # fmt: skip
"""How much accuracy a change of the weights costs, by the outcome of `lab.kinds.shared.cost`."""
