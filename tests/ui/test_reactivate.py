"""The Re-activate page: from a repaired model to the five bars, and models that have nothing to wake."""

from __future__ import annotations

from tests.ui.conftest import fine, until

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


def test_a_clean_model_has_nothing_to_wake(visit):
    app = visit("reactivate.py", model="zoo:scenes-clean")
    assert not app.exception and len(app.error) == 1
    assert "has no backdoor to re-activate" in app.error[0].value
