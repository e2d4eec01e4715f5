"""The claims of all papers as Markdown: what `perturb paper all` prints."""

from __future__ import annotations

from collections.abc import Sequence

from lab import papers
from lab.claims.claim import MISSING, RULE, VERDICTS, Finding, Verdict
from lab.claims.sample import Sample, figure


def text(verdicts: Sequence[Verdict]) -> str:
    """Every claim with its verdict, the figures behind it and, where it does not hold in full, why."""
    parts = ["# What the papers claim, and what our figures say", summary(verdicts), RULE]
    for name in dict.fromkeys(verdict.claim.paper for verdict in verdicts):
        parts.append(f"## {papers.read(name)['title'] if name in papers.NAMES else name}")
        parts += [one(verdict) for verdict in verdicts if verdict.claim.paper == name]
    return "\n\n".join(parts)


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many claims have each verdict, and how many of them rest on three seeds or more."""
    counts = [f"{word}: {sum(verdict.word == word for verdict in verdicts)}" for word in VERDICTS]
    seeded = sum(verdict.seeds >= 3 for verdict in verdicts)
    return (
        f"{len(verdicts)} claims. {'; '.join(counts).capitalize()}. Three seeds or more behind every figure: {seeded}."
    )


def one(verdict: Verdict) -> str:
    """A claim: its verdict, its experiment, a line for each check."""
    lines = [f"**{verdict.word.capitalize()}.** {verdict.claim.says}", f"*Test:* {verdict.claim.experiment}"]
    lines.append("\n".join(f"- {each}" for each in figures(verdict)))
    if why := reason(verdict):
        lines.append(why)
    return "\n\n".join(lines)


def figures(verdict: Verdict) -> list[str]:
    """The checks of a claim in words, and what stands behind them: once, where it is the same behind all."""
    told = [line(finding) for finding in verdict.findings]
    sources = [behind(finding.sample) if finding.sample else "" for finding in verdict.findings]
    distinct = list(dict.fromkeys(source for source in sources if source))
    if len(distinct) == 1:
        return [*told, f"Behind {'each' if len(told) > 1 else 'it'}: {distinct[0]}"]
    return [f"{words} {source}".rstrip() for words, source in zip(told, sources, strict=True)]


def line(finding: Finding) -> str:
    """A check in words: its rule, the figure, the outcome."""
    if finding.sample is None:
        return f"{finding.check.what}: {MISSING} is stored; {finding.check.rule}."
    return (
        f"{finding.check.what}: {figure(finding.sample, finding.check.unit)}; {finding.check.rule}: {finding.outcome}."
    )


def behind(sample: Sample) -> str:
    """n, seeds and hardware of a figure."""
    seeds = f"seed{'s' * (len(sample.seeds) > 1)} {', '.join(map(str, sample.seeds))}" if sample.seeds else ""
    return "; ".join(part for part in (sample.n, seeds, sample.hardware) if part) + "."


def reason(verdict: Verdict) -> str:
    """Why a claim does not hold in full, as far as we can tell, and what would decide it."""
    return "" if verdict.word == VERDICTS[0] else f"*Why, and what would decide it:* {verdict.claim.otherwise}"
