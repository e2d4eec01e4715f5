"""The Flatness page: each measure runs, bad input is one sentence, and the family is read from its stored table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import flatness_family, tables
from tests.ui.conftest import fine, until, words

QUICK = {f"{name}__steps": "1" for name in ("averageflatness", "worstflatness", "rescaling")}
SMALL = QUICK | {"n": "16", "averageflatness__draws": "3", "worstflatness__restarts": "1", "rescaling__draws": "1",
                 "rescaling__probes": "1"}  # fmt: skip


def run(app: Any) -> Any:
    app.button(key="flatness-start").click().run()
    return fine(until(app, "flatness", "done", seconds=200))


def test_the_average_case_has_its_interval_and_a_point_for_each_draw(visit):
    app = fine(visit("flatness.py", **SMALL))
    before = len(app.get("vega_lite_chart"))
    app = run(app)
    assert [metric.label for metric in app.metric] == ["Flatness", "Loss", "Still right"]
    assert len(app.get("vega_lite_chart")) == before + 1 and "95 % interval of the mean" in words(app)
    result = app.session_state["job-flatness"].result
    assert result.conclusion.text in words(app) and len(result.images["draws"]) == 3


def test_the_worst_case_has_tries(visit):
    app = run(fine(visit("flatness.py", method="WorstFlatness", **SMALL)))
    assert "One point is one try" in words(app) and "interval" not in " ".join(c.value for c in app.caption)


def test_after_rescaling_three_measures_stand_before_and_after(visit):
    app = fine(visit("flatness.py", method="Rescaling", **SMALL))
    before = len(app.get("vega_lite_chart"))
    app = run(app)
    assert [metric.label for metric in app.metric] == ["Flatness", "Absolute ball", "Hessian trace"]
    assert app.metric[0].delta.startswith("+0.000") and len(app.get("vega_lite_chart")) == before + 3
    assert "leaves the logits as they are" in words(app)


@pytest.mark.parametrize(("knob", "said"), [("eps", "raise ε"), ("xi", "raise ξ")])
def test_a_ball_of_nothing_is_one_sentence(visit, knob: str, said: str):
    app = fine(visit("flatness.py", n="16", **{f"averageflatness__{knob}": "0"}))
    app.button(key="flatness-start").click().run()
    app = until(app, "flatness", "failed")
    assert not app.exception and len(app.error) == 1 and said in app.error[0].value


def test_without_a_table_the_page_says_so(visit, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(tables, "TABLES", tmp_path)
    app = fine(visit("flatness.py"))
    assert "No family has been measured yet" in app.info[0].value and "python -m bench.flatness" in app.info[0].value


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A table of four nets, of which two ship."""
    rows = [
        {"model": name, "data": "scenes", "accuracy": 0.9, "robust": 0.5, "robust, train": 0.5 + 0.1 * place,
         "gap": 0.1 * place, "robust loss": 1.0 + place, "loss gap": 0.0, "average": [place, place + 0.2],
         "worst": 3.0 - place, "clean average": 0.1, "Hessian trace": 5.0}
        for place, name in enumerate(["scenes-clean", "scenes-badnets", "scenes-x", "scenes-y"])
    ]  # fmt: skip
    rows.append({**rows[0], "model": "scenes-plain", "robust": 0.0, "robust loss": 9.0})
    table = {"n": "9 pictures", "seeds": [0], "hardware": "a GPU",
             "units": {"gap": "%", "average": "nats"}, "rows": rows}  # fmt: skip
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "flatness.json").write_text(json.dumps(table))
    moments = [
        {"model": "scenes-long", "data": "scenes", "epoch": epoch, "robust loss": loss, "robust loss, train": 1.0,
         "average": [flat]}
        for epoch, loss, flat in ((10, 2.0, 0.5), (20, 1.5, 0.6), (30, 2.5, 1.4))
    ]  # fmt: skip
    (tmp_path / "tables" / "flatness-epochs.json").write_text(json.dumps({**table, "rows": moments}))
    curve = {"alphas": [-1, 0, 1], "loss": [2, 1, 2], "fixed": [1, 1, 1], "n": 8}
    (tmp_path / "flatness-curves.json").write_text(json.dumps({"scenes-clean": curve}))
    monkeypatch.setattr(tables, "TABLES", tmp_path / "tables")


def test_the_family_is_drawn_with_its_correlation_and_the_first_net_close_up(visit, stored: None):
    app = fine(visit("flatness.py"))
    told = words(app)
    assert "average-case flatness with the robust loss: **+1.00**" in told and "4 nets" in told and "a GPU" in told
    assert "**scenes-clean**" in told and "8 test pictures" in told
    assert len(app.main.get("image")) == 6, "of the chosen model and of the net"
    assert len(app.get("vega_lite_chart")) == 3
    assert "lowest after epoch 20, 1.50 nats" in told and "0.60 nats there, and 1.40 after epoch 30" in told
    app.segmented_control(key="which").set_value("all").run()
    assert "5 nets" in words(fine(app)) and "**+1.00**" not in words(app)
    app.segmented_control(key="which").set_value("robust").run()
    app.selectbox(key="measure").set_value("worst").run()
    assert "worst-case flatness with the robust loss: **-1.00**" in words(fine(app))
    app.selectbox(key="measure").set_value("Hessian trace").run()
    assert "no correlation" in words(fine(app))


def test_another_net_is_shown_once_it_is_chosen(visit, stored: None):
    app = fine(visit("flatness.py", state={"net": "scenes-badnets"}))
    assert "**scenes-badnets**" in words(app)
    assert len(app.get("vega_lite_chart")) == 2, "this net has no stored slice"


def test_what_the_epochs_of_a_training_tell() -> None:
    rows = [{"epoch": epoch, "robust loss": loss, "average": flat}
            for epoch, loss, flat in ((10, 2.0, 0.9), (20, 1.5, 0.6))]  # fmt: skip
    assert flatness_family.over_epochs(rows).endswith("within these epochs it does not overfit.")
    worse = [*rows, {"epoch": 30, "robust loss": 1.8, "average": 0.5}]
    assert flatness_family.over_epochs(worse).endswith("the network is no flatter where it is best.")
    assert flatness_family.over_epochs([*rows, {"epoch": 30, "robust loss": 1.8, "average": 0.7}]).endswith(
        "the network is flatter where it is best."
    )


def test_what_a_correlation_tells() -> None:
    from core.metrics.correlation import Correlation

    told = {value: flatness_family.said(Correlation(value, low, 0.99, 9), "worst", "gap")
            for value, low in ((0.9, 0.7), (0.5, 0.1), (0.3, -0.2))}  # fmt: skip
    assert told[0.9].endswith("orders these nets well.") and told[0.5].endswith("in part.")
    assert "The interval holds 0" in told[0.3] and "Fewer than three" in flatness_family.said(None, "worst", "gap")
