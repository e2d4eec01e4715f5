"""How many channels a network can do without: the share whose loss a short recovery makes up for.

A full fine-tuning for every n would repeat the whole cost of the method; how far the accuracy has come back after a few
steps tells as much. A network without batch norm, for one, never recovers from what another hardly notices.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from core.data.imageset import ImageSet
from core.defenses.shared.selection import accuracy
from core.runs import Progress, Run

SHORT = 8
"""A short recovery takes the steps of the fine-tuning divided by this."""
PRICE = 0.05
"""How far the accuracy after it may stay behind that of the network that lost no channels."""
QUARTERS = 2
"""Besides the upper bound a quarter of it is tried, and a quarter of that; then none at all."""


def affordable(
    recovered: Callable[[float], Run[nn.Module | None]], upper: float, validation: ImageSet
) -> Run[float | None]:
    """The largest n of `upper`, `upper` / 4, … whose model after a short recovery is within `PRICE` of that of n = 0.

    recovered : from n to that model, or None where the recovery fails
    Returns 0 where no n is affordable, and None where n = 0 itself fails, so that nothing can be compared.
    """
    whole = yield from recovered(0.0)
    if whole is None:
        return None
    least = accuracy(whole, validation) - PRICE
    for quarter in range(QUARTERS + 1):
        n = upper / 4**quarter
        model = yield from recovered(n)
        now = 0.0 if model is None else accuracy(model, validation)
        yield Progress("select", quarter + 1, QUARTERS + 1, {"strength": n, "validation": now}, model=model or whole)
        if now >= least:
            return n
    return 0.0
