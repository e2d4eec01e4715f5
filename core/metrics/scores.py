"""Scores of backdoored and repaired models: one definition each, fractions in [0, 1].

ASR and RA are counted over the images whose own class is not the target (all-to-all: over all
images whose mapped label differs from their own).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scores:
    """What `evaluate` measured.

    acc : share of the clean images classified as their class
    asr : attack success rate, share of the triggered images classified as the target
    ra : robust accuracy, share of the same triggered images classified as their own class
    n, n_asr : number of images behind acc, and behind asr and ra
    by_target : any-to-any only, ASR by target class
    """

    acc: float
    asr: float | None = None
    ra: float | None = None
    n: int = 0
    n_asr: int = 0
    by_target: dict[int, float] = field(default_factory=dict)
