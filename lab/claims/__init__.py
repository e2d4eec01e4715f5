"""Every claim of the eleven papers, and what the stored figures say of it."""

from __future__ import annotations

from lab import run_log, tables
from lab.claims import (
    awp,
    concepts,
    consistency,
    flareon,
    flatness,
    fmix,
    outliers,
    reactivation,
    regional,
    tsbd,
    weight_backdoor,
)
from lab.claims.claim import VERDICTS, Claim, Verdict, judged
from lab.claims.evidence import Evidence

__all__ = ["CLAIMS", "PAPERS", "VERDICTS", "Claim", "Evidence", "Verdict", "all_judged", "shipped", "stored", "version"]

PAPERS = {
    "flareon": "Flareon", "reactivation": "Re-activation", "tsbd": "TSBD", "weight-backdoor": "Weight backdoor",
    "regional": "Regional attack", "awp": "AWP", "flatness": "Robust flatness", "fmix": "FMix",
    "explanation-consistency": "Explanation consistency", "itsr": "AAE and ITSR",
    "acav": "A-CAV",
}  # fmt: skip
"""The systems by the names that `perturb paper` takes."""

CLAIMS: tuple[Claim, ...] = (
    *flareon.CLAIMS, *reactivation.CLAIMS, *tsbd.CLAIMS, *weight_backdoor.CLAIMS, *regional.CLAIMS, *awp.CLAIMS,
    *flatness.CLAIMS, *fmix.CLAIMS, *consistency.CLAIMS, *outliers.CLAIMS, *concepts.CLAIMS,
)  # fmt: skip


def shipped() -> Evidence:
    """What ships with the lab."""
    return Evidence(run_log.of_todays_models(run_log.shipped()))


def stored() -> Evidence:
    """What ships with the lab, and the papers' runs that were computed here; no visitor's run counts."""
    return Evidence(run_log.in_files())


def version() -> tuple[object, ...]:
    """What differs as soon as a stored table does."""
    return tuple((file.name, file.stat().st_mtime_ns) for file in sorted(tables.TABLES.glob("*.json")))


def all_judged(evidence: Evidence) -> list[Verdict]:
    """The verdict on every claim, in the order of CLAIMS."""
    return [judged(claim, evidence) for claim in CLAIMS]
