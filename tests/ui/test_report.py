"""The page Robustness report: one click, figures, tables, and two files."""

from __future__ import annotations

from tests.ui.conftest import fine, until, words

SMALL = {"n": "50", "robustnessreport__levels": "1", "robustnessreport__steps": "2", "robustnessreport__attacked": "2",
         "robustnessreport__version": "quick"}  # fmt: skip


def test_one_click_gives_figures_tables_and_files(visit):
    app = fine(visit("report.py", **SMALL))
    assert not app.warning
    app.button(key="report-start").click().run()
    app = fine(until(app, "report", "done", seconds=120))
    assert [metric.label for metric in app.metric] == [
        "Accuracy", "Under PGD", "Under AutoAttack", "Worst class", "Corrupted", "Square attacked",
    ]  # fmt: skip
    labels = {button.proto.label for button in app.get("download_button")}
    assert {"Report as HTML", "Report as JSON"} <= labels
    assert app.session_state["job-report"].result.conclusion.text in words(app)
    assert "**AutoAttack**, 2 pictures" in words(app) and len(app.dataframe) == 4
