"""Ratings of a repair: the drop in attack success against the drop in accuracy."""

from __future__ import annotations

from core.metrics.scores import Scores


def _drops(before: Scores, after: Scores) -> tuple[float, float, float]:
    """Falls of ACC and ASR and rise of RA, each at least 0; ValueError where no trigger was scored."""
    if None in (before.asr, before.ra, after.asr, after.ra):
        raise ValueError("DER and RIR need scores with a trigger; give evaluate a trigger before and after.")
    rises = (before.acc - after.acc, before.asr - after.asr, after.ra - before.ra)  # type: ignore[operator]
    return tuple(max(0.0, rise) for rise in rises)  # type: ignore[return-value]


def der(before: Scores, after: Scores) -> float:
    """Defense effectiveness rating, [max(0, drop in ASR) - max(0, drop in ACC) + 1] / 2.

    1 when ASR falls from 1 to 0 at no cost, 0.5 when nothing changed.
    """
    lost, healed, _ = _drops(before, after)
    return (healed - lost + 1) / 2


def rir(before: Scores, after: Scores) -> float:
    """Robust improvement rating, [max(0, gain in RA) - max(0, drop in ACC) + 1] / 2."""
    lost, _, righted = _drops(before, after)
    return (righted - lost + 1) / 2
