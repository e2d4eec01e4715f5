"""Claims: the rule behind a verdict, by hand; figures from tables and runs; and every claim of the lab."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab import claims, papers
from lab.claims import evidence
from lab.claims.claim import HOLDS, IN_PART, MET, MISSED, MISSING, NOT, UNCLEAR, UNTESTED, Check, Claim, judged, verdict
from lab.claims.evidence import Evidence
from lab.claims.sample import Sample, figure, number
from lab.claims.text import one, summary, text
from lab.recipes import Recipe
from lab.tables import stored_table
from ui.pages import page_of

ROWS = [
    {"net": "plain", "data": "a", "acc": [0.5, 0.6, 0.7], "x": 1.0, "y": 3.0},
    {"net": "ours", "data": "a", "acc": [0.6, 0.7, 0.8], "x": 2.0, "y": 2.0},
    {"net": "plain", "data": "b", "acc": 0.5, "x": 3.0, "y": 1.0},
    {"net": "ours", "data": "b", "acc": None, "x": 4.0, "y": 0.0},
]


def table(rows: list[dict[str, Any]]) -> Any:
    kept = {"n": "10 pictures", "seeds": [0, 1, 2], "hardware": "a machine", "rows": rows}
    return lambda name: kept if name == "t" else None


STORED = Evidence(tables=table(ROWS))


def sample(*values: float) -> Sample:
    return Sample(values, "seeds", "10 pictures", "a machine", tuple(range(len(values))))


@pytest.mark.parametrize(
    ("values", "bound", "below", "outcome"),
    [
        ((1.0, 1.1, 0.9), 0.0, False, MET), ((1.0, 1.1, 0.9), 2.0, True, MET),
        ((1.0, -0.9, 0.5), 0.0, False, UNCLEAR), ((1.0,), 0.0, False, UNCLEAR),
        ((-1.0, -1.1, -0.9), 0.0, False, MISSED), ((0.0, 0.0), 0.0, False, MISSED), ((1.0, 1.1), 1.0, True, MISSED),
        ((float("nan"),), 0.0, False, MISSED), ((float("nan"),), 0.0, True, MISSED),
    ],
)  # fmt: skip
def test_a_check_is_met_only_where_the_whole_interval_lies_beyond_its_bound(values, bound, below, outcome) -> None:
    check = Check("x", lambda _: sample(*values), bound, below)
    assert check.outcome(sample(*values)) == outcome
    assert check.outcome(None) == MISSING


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ([MET, MET], HOLDS), ([MET, UNCLEAR], IN_PART), ([MET, MISSING], IN_PART), ([MET, MISSED], IN_PART),
        ([UNCLEAR], IN_PART), ([MISSED, MISSED], NOT), ([MISSED, MISSING], NOT), ([MISSING], UNTESTED),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_outcomes(outcomes: list[str], word: str) -> None:
    assert verdict(outcomes) == word


def test_figures_come_from_the_cells_of_a_table() -> None:
    ours, plain = {"net": "ours", "data": "a"}, {"net": "plain", "data": "a"}
    found = evidence.cell("t", "acc", ours)(STORED)
    assert found is not None and found.values == (0.6, 0.7, 0.8) and found.seeds == (0, 1, 2)
    found = evidence.difference("t", "acc", ours, plain)(STORED)
    assert found is not None and found.values == pytest.approx((0.1, 0.1, 0.1))
    found = evidence.columns("t", "y", "x", plain)(STORED)
    assert found is not None and found.values == (2.0,)
    found = evidence.paired("t", "x", ("data",), {"net": "ours"}, {"net": "plain"}, "data sets")(STORED)
    assert found is not None and found.values == (1.0, 1.0)
    found = evidence.every("t", lambda row: row["x"] if row["x"] > 1 else None, {"net": "*"}, "nets")(STORED)
    assert found is not None and found.values == (2.0, 3.0, 4.0)
    found = evidence.correlation("t", "x", "y", {})(STORED)
    assert found is not None and found.values == pytest.approx((-1.0,)) and found.count == 4


def test_what_is_not_stored_gives_no_figure() -> None:
    other = {"net": "ours", "data": "b"}
    for find in (
        evidence.cell("t", "acc", other), evidence.cell("no table", "acc", {}), evidence.cell("t", "no column", {}),
        evidence.difference("t", "acc", {"data": "a"}, {"net": "plain", "data": "b"}),  # three values and one
        evidence.difference("t", "acc", {"data": "a"}, {"net": "nobody"}),
        evidence.every("t", bool, {"net": "x"}, "nets"),
        evidence.correlation("t", "x", "y", {"data": "a"}), evidence.runs("TSBD", "*", "after/asr"),
    ):  # fmt: skip
        assert find(STORED) is None


def stored_run(seed: int, asr: float, model: Any = "zoo:a", **knobs: Any) -> dict[str, Any]:
    recipe = {"method": {"method": "TSBD", "n": 1} | knobs, "model": model, "data": "scenes", "seed": seed}
    return {"recipe": recipe, "figures": {"after/asr": asr}, "counts": {"after/asr": 900}, "hardware": "a machine"}


def test_figures_come_from_runs_the_latest_of_each_seed() -> None:
    chain = {"method": {"method": "FineTuning"}, "model": "zoo:a"}
    rows = [
        stored_run(0, 0.9),
        stored_run(1, 0.2),
        stored_run(0, 0.1),
        stored_run(2, 0.7, n=2),
        stored_run(3, 0.5, chain),
    ]
    found = evidence.runs("TSBD", "zoo:*", "after/asr", {"n": 1})(Evidence(rows))
    assert found is not None and found.values == (0.1, 0.2) and found.seeds == (0, 1) and "900" in found.n
    found = evidence.runs("TSBD", "FineTuning on zoo:*", lambda of: 1 - of["after/asr"])(Evidence(rows))
    assert found is not None and found.values == (0.5,)


def test_a_figure_names_its_unit_its_interval_and_its_repetitions() -> None:
    assert number(0.5, "%") == "50.0 %" and number(0.02, "points", whole=True) == "2 points"
    assert number(-0.021, "points") == "−2.1 points" and number(0.25, "") == "0.25"
    assert figure(sample(0.4), "%") == "40.0 %"
    assert figure(sample(0.4, 0.5, 0.6), "%") == "50.0 % (25.2 to 74.8; 3 seeds)"


def of(claim: Claim, rows: list[dict[str, Any]]) -> str:
    return judged(claim, Evidence(tables=table(rows))).word


def test_another_stored_figure_gives_another_verdict() -> None:
    find = evidence.difference("t", "acc", {"net": "ours"}, {"net": "plain"})
    claim = Claim("k", "awp", "It helps.", "A test.", (Check("ours less plain", find),), "flatness", {}, "Small nets.")
    assert of(claim, ROWS) == HOLDS
    assert of(claim, [ROWS[0], ROWS[1] | {"acc": [0.4, 0.5, 0.6]}]) == NOT
    assert of(claim, [ROWS[0], ROWS[1] | {"acc": [0.9, 0.5, 0.8]}]) == IN_PART
    assert of(claim, ROWS[:1]) == UNTESTED
    told = one(judged(claim, STORED))
    assert "**Holds.** It helps." in told and "+10.0 points" in told and "Small nets." not in told
    assert "Small nets." in one(judged(claim, Evidence(tables=table(ROWS[:1]))))


def test_a_stored_table_of_the_lab_changes_a_verdict_of_the_lab() -> None:
    [claim] = [claim for claim in claims.CLAIMS if claim.key == "awp-overfitting"]
    assert judged(claim, Evidence()).word == HOLDS

    def other(name: str) -> dict[str, Any] | None:
        found = json.loads(json.dumps(stored_table(name)))
        for row in found["rows"]:
            row["last epoch"] = row["best epoch"]
        return found

    assert judged(claim, Evidence(tables=other)).word == NOT


def test_every_system_has_claims_and_every_claim_its_words_its_rules_and_an_experiment() -> None:
    assert {claim.paper for claim in claims.CLAIMS} == set(claims.PAPERS)
    assert len({claim.key for claim in claims.CLAIMS}) == len(claims.CLAIMS)
    assert set(claims.PAPERS) == set(papers.NAMES)
    for claim in claims.CLAIMS:
        assert claim.checks and len({check.what for check in claim.checks}) == len(claim.checks), claim.key
        assert claim.says[-1] == claim.experiment[-1] == claim.otherwise[-1] == ".", claim.key
        assert Recipe.from_dict(dict(claim.recipe)).kind.name == page_of(claim.page).kind, claim.key


def test_the_text_has_every_claim_once_and_counts_them() -> None:
    found = claims.all_judged(Evidence())
    told = text(found)
    assert all(told.count(f" {one.claim.says}\n") == 1 for one in found)
    counts = {word: sum(one.word == word for one in found) for word in claims.VERDICTS}
    assert sum(counts.values()) == len(found)
    assert f"{len(found)} claims. Holds: {counts[HOLDS]}; holds in part: {counts[IN_PART]};" in summary(found)
