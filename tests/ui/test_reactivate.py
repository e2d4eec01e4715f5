"""The Re-activate page: from a repaired model to the five bars, and models that have nothing to wake."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from lab.recipes import Recipe
from lab.results import Result
from tests.ui.conftest import fine, until
from ui.pages import page_of
from ui.views.reactivation import existence

QUICK = {"defense": "CLP", "reactivation__steps": "3", "reactivation__images": "40"}


def test_a_run_shows_the_bars_the_curve_and_the_gap(visit):
    app = fine(visit("reactivate.py", **QUICK))
    app.button(key="reactivate-start").click().run()
    app = fine(until(app, "reactivate", "done"))
    result = app.session_state["job-reactivate"].result
    assert [metric.label for metric in app.metric] == [
        "Reactivated", "Trigger alone", "Without trigger", "Backdoor left (BEC)",
    ]  # fmt: skip
    assert app.metric[0].value == f"{100 * result.figures['asr/reactivated']:.1f} %"
    assert app.metric[3].value == f"{result.figures['bec']:.3f}"
    assert len(app.get("vega_lite_chart")) == 2
    assert any("Gap" in caption.value and "clean model" in caption.value for caption in app.caption)


def test_bec_is_told_beside_the_attack_success_that_hides_the_backdoor():
    def told(bec, asr):
        found = Result(SimpleNamespace(), {"bec": bec, "asr/trigger": asr}, {"asr/trigger": 264})
        found.notes["bec"] = "264 triggered images, 96 channels; 1 = backdoored, 0 = clean model"
        return existence(found)

    assert "3.8 % of the pictures, yet its channels still answer" in told(0.6, 0.038)
    assert "so that the backdoor shows without it" in told(0.9, 0.8)
    assert "BEC is small too" in told(0.05, 0.038)
    assert "outside of 0 to 1" in told(1.2, 0.038) and "outside of 0 to 1" in told(-0.1, 0.9)
    missing = Result(SimpleNamespace())
    assert existence(missing) == ""
    missing.notes["bec"] = "BEC needs a clean model of the same architecture, and there is none here."
    assert existence(missing) == missing.notes["bec"]


def test_the_card_the_page_and_the_example_begin_with_one_run(visit):
    (card,) = page_of("reactivate").cards
    example = Recipe.from_json((Path(__file__).parents[2] / "recipes" / "reactivate.json").read_text())
    app = fine(visit("reactivate.py"))
    assert app.session_state["choice"].model == card.model == example.model.model
    assert app.selectbox(key="defense").value == card.state["defense"] == type(example.model.method).__name__
