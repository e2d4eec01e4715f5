"""The Scoreboard page: stored runs in its cells, a cell that is run, peeking beside honesty."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

import lab.history
from lab import scoreboard
from lab.settings import settings
from tests.ui.conftest import fine, until
from ui.charts import scoreboard as charts


def stored(defense: str, attack: str, rule: str, seed: int, asr: float, der: float) -> None:
    """A finished run of a cell, in the history of the tests."""
    recipe = scoreboard.board("scenes", settings.control_n, rule).recipe(defense, attack, seed)
    figures = {f"{moment}/{name}": 0.9 for moment in ("before", "after") for name in ("acc", "asr", "ra")}
    row = {"key": recipe.to_json(), "method": defense, "seconds": 7.0, "device": "cpu, 1 threads",
           "recipe": recipe.to_dict(), "figures": figures | {"after/asr": asr, "der": der}, "counts": {}, "notes": {},
           "versions": {}}  # fmt: skip
    assert lab.history.history().add(row)


@pytest.fixture
def played(need_zoo: None) -> None:
    for rule, tsbd in (("clean", 0.7), ("oracle", 0.95)):
        for attack in ("badnets", "blended"):
            for seed in (0, 1):
                stored("TSBD", attack, rule, seed, 0.02 * seed, tsbd)
    for attack in ("badnets", "blended"):
        stored("FineTuning", attack, "clean", 0, 0.3, 0.8)


def table(app: Any) -> Any:
    """What stands in the squares of the table, one row per defense."""
    found = squares(app)
    return found.pivot(index="defense", columns="attack", values="label")


def squares(app: Any) -> Any:
    chart = app.get("vega_lite_chart")[0].proto
    return convert_arrow_bytes_to_pandas_df(chart.data.data)


def test_cells_hold_mean_and_spread_and_empty_ones_nothing(visit, played):
    app = fine(visit("scoreboard.py", defense="TSBD", attack="blended"))
    found = table(app)
    assert found.loc["TSBD", "badnets"] == "1.0" and found.loc["FineTuning", "blended"] == "30.0"
    told = squares(app).set_index(["defense", "attack"])["runs"]
    assert told["TSBD", "badnets"] == "1.0 ± 1.4" and told["FineTuning", "blended"] == "30.0"
    assert found.loc["FinePruning", "badnets"] == "" and found.loc["no defense", "badnets"] == "90.0"
    assert app.dataframe[0].value["seed"].tolist() == [0, 1] and not app.warning
    assert app.button(key="scoreboard-start").label == "Run seed 2"


def test_peeking_has_a_table_of_its_own_and_is_marked(visit, played):
    honest = fine(visit("scoreboard.py", figure="DER"))
    assert table(honest).loc["TSBD", "badnets"] == "0.70" and "⚠" not in words(honest)
    peeking = fine(visit("scoreboard.py", figure="DER", chosen="oracle"))
    assert table(peeking).loc["TSBD", "badnets"] == "0.95" and "⚠" in words(peeking)
    assert table(peeking).loc["FineTuning", "badnets"] == "0.80", "it chooses nothing"


def test_too_few_shared_cells_are_no_answer_and_enough_are(visit, played):
    app = fine(visit("scoreboard.py"))
    app.segmented_control(key="guess-scoreboard").set_value("It stays as it is").run()
    told = [text.value for text in fine(app).markdown]
    # TSBD and FineTuning have met two attacks under both rules, and by DER the first passes the second by peeking.
    assert any("Not quite: It changes." in text and "TSBD from 2 to 1" in text for text in told)
    app = fine(visit("scoreboard.py", board="gtsrb"))
    app.segmented_control(key="guess-scoreboard").set_value("It changes").run()
    told = [text.value for text in fine(app).markdown]
    assert any("cannot be answered yet" in text and "33 of 33 cells are missing" in text for text in told)


def words(app: Any) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_an_empty_cell_is_run_and_filled(visit, monkeypatch):
    from core.defenses import FineTuning

    short = scoreboard.Board("scenes", {"badnets": "zoo:scenes-badnets"}, {"FineTuning": FineTuning(steps=5)}, 60)
    monkeypatch.setattr(scoreboard, "board", lambda data, n, selection="clean": short)
    app = fine(visit("scoreboard.py"))
    assert table(app).loc["FineTuning", "badnets"] == "" and "empty" in words(app)
    app.button(key="scoreboard-start").click().run()
    app = fine(until(app, "scoreboard", "done"))
    asr = app.session_state["job-scoreboard"].result.figures["after/asr"]
    assert table(app).loc["FineTuning", "badnets"] == f"{100 * asr:.1f}"
    assert app.button(key="scoreboard-start").label == "Run seed 1"


def test_a_cell_that_a_link_asks_for_in_vain_is_one_sentence(visit):
    app = fine(visit("scoreboard.py", attack="nothing"))
    assert "nothing" in app.warning[0].value and len(app.warning) == 1


def spec(app: Any, place: int) -> dict[str, Any]:
    return json.loads(app.get("vega_lite_chart")[place].proto.spec)


def test_nothing_of_the_table_is_cut_and_a_click_counts_wherever_it_falls(visit, played):
    drawn = spec(fine(visit("scoreboard.py")), 0)
    for layer in drawn["layer"]:
        for axis in ("x", "y"):
            told = layer["encoding"][axis]["axis"]
            assert told["labelLimit"] == 0 and told["labelOverlap"] is False
    top = drawn["layer"][-1]
    assert top["mark"]["type"] == "rect" and top["mark"]["fill"] == "transparent"
    (pick,) = [each for each in drawn["params"] if each["name"] == "pick"]
    assert pick["views"] == [top["name"]] and pick["select"]["fields"] == ["defense", "attack"]


def test_a_clicked_square_is_the_chosen_cell_and_the_first_row_is_none(monkeypatch):
    board = scoreboard.board("scenes", 60)
    for point, place in (
        ([{"defense": "CLP", "attack": "sig"}], ("CLP", "sig")), ([{"defense": charts.NONE, "attack": "sig"}], None),
        ([], None),
    ):  # fmt: skip
        monkeypatch.setattr(charts.st, "session_state", {"table": {"selection": {"pick": point}}})
        assert charts.clicked(board, "table") == place


@pytest.mark.parametrize("rule", ["clean", "oracle"])
def test_every_defense_of_the_ranking_has_its_name_and_room_for_a_bar_per_rule(visit, played, rule):
    app = fine(visit("scoreboard.py", chosen=rule))
    drawn, found = spec(app, 1), app.get("vega_lite_chart")[1].proto
    rows = convert_arrow_bytes_to_pandas_df(found.datasets[0].data.data)
    rules, names = rows["chosen by"].nunique(), rows["name"].nunique()
    assert drawn["height"] >= 12 * rules * names and rules == (2 if rule == "oracle" else 1)
    axis = drawn["layer"][0]["encoding"]["y"]["axis"]
    assert axis["labelOverlap"] is False and axis["labelLimit"] == 0
