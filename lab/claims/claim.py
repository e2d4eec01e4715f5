"""A paper's claim, the figures that it stands on, and the rule by which they give a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.claims.evidence import Evidence
from lab.claims.sample import Sample, number

HOLDS, IN_PART, NOT, UNTESTED = "holds", "holds in part", "does not hold at our scale", "not tested"
VERDICTS = HOLDS, IN_PART, NOT, UNTESTED
RULE = (
    "A check is met where the mean and the whole 95 % interval lie beyond its bound, unclear where the mean alone does "
    "or a single value has no interval, and missed otherwise. A claim holds where all of its checks are met, does not "
    "hold at our scale where none is met or unclear, and holds in part in between; a check without a figure is never "
    "met. A claim without any figure is not tested."
)
"""The rule behind every verdict, in words."""
MET, UNCLEAR, MISSED, MISSING = "met", "unclear", "missed", "no figure"


@dataclass(frozen=True)
class Check:
    """A figure with a bound.

    what : what is measured, a few words; find : takes it from what is stored, None where it is not stored
    bound : in the unit of the figure, a share as a fraction; below : the figure is to be below it, not above
    unit : "%" (a share), "points" (a difference of shares), "nats", or "" for a plain number
    """

    what: str
    find: Callable[[Evidence], Sample | None]
    bound: float = 0.0
    below: bool = False
    unit: str = "points"

    @property
    def rule(self) -> str:
        """What is asked of the figure: "above 2 points"."""
        return f"{'below' if self.below else 'above'} {number(self.bound, self.unit, whole=True)}"

    def outcome(self, sample: Sample | None) -> str:
        """MET, UNCLEAR, MISSED or MISSING."""
        if sample is None:
            return MISSING
        sign = -1 if self.below else 1
        if not sign * sample.mean > sign * self.bound:  # NaN is never beyond
            return MISSED
        if sample.interval is None:
            return UNCLEAR
        nearest = sample.interval[1] if self.below else sample.interval[0]
        return MET if sign * nearest > sign * self.bound else UNCLEAR


@dataclass(frozen=True)
class Claim:
    """What a paper says, in one sentence of ours, and how it is tested.

    key : its name; paper : that of `perturb paper`
    experiment : the runs or tables that the figures are from, in a sentence
    page, recipe : where a visitor tries it at a small scale: the page's name, and what it is set to
    otherwise : the most likely reason where it does not hold in full, and what would decide it
    query : the page's address, where that is not the recipe's
    """

    key: str
    paper: str
    says: str
    experiment: str
    checks: tuple[Check, ...]
    page: str
    recipe: Mapping[str, Any] = field(hash=False)
    otherwise: str
    query: Mapping[str, str] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Finding:
    """A check with the figure that was found, and its outcome."""

    check: Check
    sample: Sample | None
    outcome: str


@dataclass(frozen=True)
class Verdict:
    """A claim with its findings and the word that follows from them."""

    claim: Claim
    findings: tuple[Finding, ...]

    @property
    def word(self) -> str:
        return verdict([finding.outcome for finding in self.findings])

    @property
    def seeds(self) -> int:
        """The fewest seeds behind a figure that was found; 0 where none was."""
        return min((len(each.sample.seeds) for each in self.findings if each.sample is not None), default=0)


def judged(claim: Claim, evidence: Evidence) -> Verdict:
    """A claim's figures from what is stored, and its verdict."""
    samples = [check.find(evidence) for check in claim.checks]
    found = zip(claim.checks, samples, strict=True)
    return Verdict(claim, tuple(Finding(check, sample, check.outcome(sample)) for check, sample in found))


def verdict(outcomes: Sequence[str]) -> str:
    """The word for the outcomes of a claim's checks, by RULE."""
    if all(outcome == MISSING for outcome in outcomes):
        return UNTESTED
    if all(outcome == MET for outcome in outcomes):
        return HOLDS
    return IN_PART if any(outcome in (MET, UNCLEAR) for outcome in outcomes) else NOT
