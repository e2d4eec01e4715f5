"""README's table of headline results: for each system, how many of its paper's claims have which verdict.

The figures behind it, with n, seeds, intervals and hardware, are what `perturb paper all` prints. Those of runs
disappear when the model they were measured on is trained again; `perturb paper NAME --run` brings them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab import claims
from lab.claims import Verdict
from lab.tables import table


def headline() -> str:
    """The table as Markdown."""
    return table(rows(claims.all_judged(claims.shipped())), {})


def rows(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """A row for each system, in the order of the claims."""
    papers = dict.fromkeys(verdict.claim.paper for verdict in verdicts)
    return [_row(claims.PAPERS[paper], [one for one in verdicts if one.claim.paper == paper]) for paper in papers]


def _row(system: str, own: Sequence[Verdict]) -> dict[str, Any]:
    counts: dict[str, Any] = {word: sum(one.word == word for one in own) for word in claims.VERDICTS}
    return {"claims of": system, **counts, "three seeds or more": sum(one.seeds >= 3 for one in own)}
