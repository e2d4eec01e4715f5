"""The page Claims: all verdicts from what is stored, by system and verdict, each with a way to its experiment."""

from __future__ import annotations

from typing import Any

import pytest

from lab import claims
from lab.claims.text import RULE, summary
from tests.ui.conftest import fine
from ui.pages import PAGES
from ui.views.claims import MARKS, OUTCOMES


@pytest.fixture(scope="module")
def found() -> list[claims.Verdict]:
    return claims.all_judged(claims.stored())


def test_each_verdict_and_outcome_has_a_mark(found: list[claims.Verdict]) -> None:
    assert tuple(MARKS) == claims.VERDICTS
    assert {finding.outcome for one in found for finding in one.findings} <= set(OUTCOMES)


def test_it_shows_every_claim_its_rule_and_a_link_to_its_experiment(visit: Any, found: list[claims.Verdict]) -> None:
    app = fine(visit("claims.py"))
    said = [text.value for text in app.main.markdown]
    assert summary(found) in said and RULE in said
    labels = [expander.label for expander in app.expander]
    assert labels == [f"{MARKS[one.word]} {one.claim.says}" for one in found]
    links = {link.proto.page for link in app.main.get("page_link")}
    assert {one.claim.page for one in found} <= links <= {page.slug for page in PAGES}


def test_a_link_narrows_it_to_a_system_and_a_verdict(visit: Any, found: list[claims.Verdict]) -> None:
    app = fine(visit("claims.py", paper="AWP"))
    own = [one for one in found if one.claim.paper == "awp"]
    assert len(app.expander) == len(own)
    word = own[0].word
    app.selectbox(key="verdict").select(word).run()
    assert len(fine(app).expander) == sum(one.word == word for one in own)
    missing = next(word for word in claims.VERDICTS if all(one.word != word for one in own))
    app.selectbox(key="verdict").select(missing).run()
    assert not fine(app).expander and "No claim of this system" in app.main.caption[-2].value


OWN = {claim.key: claim for claim in claims.CLAIMS if claim.query is not None}
DISTINCT = {(claim.page, *sorted((claim.query or {}).items())): key for key, claim in OWN.items()}


@pytest.mark.parametrize("key", DISTINCT.values())
def test_the_address_of_a_claim_sets_its_page(visit: Any, key: str) -> None:
    """Where the address is not the recipe's: each control has what the address says, and nothing is warned of."""
    asked = dict(OWN[key].query or {})
    app = fine(visit(f"{OWN[key].page}.py", **{name.replace("-", "__"): value for name, value in asked.items()}))
    assert not app.warning, [warning.value for warning in app.warning]
    for name, value in asked.items():
        if name != "v":
            assert str(app.session_state[name]).removesuffix(".0") == value, name
