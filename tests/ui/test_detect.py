"""The Detect page: a run of each detector, what it shows, and its link."""

from __future__ import annotations

import pytest

from tests.ui.conftest import fine, until
from ui.views import detector

QUICK = {"STRIP": {"strip__overlays": "4"}, "ActivationClustering": {}, "SpectralSignatures": {}}


@pytest.mark.parametrize("method", QUICK)
def test_a_detector_runs_to_its_figures_and_charts(visit, method):
    app = fine(visit("detect.py", method=method, **QUICK[method]))
    assert [metric.value for metric in app.metric] == ["–"] * 3
    assert [image.captions[0].split("  \n")[0] for image in app.main.get("image")] == list(detector.WORDS)
    app.button(key="detect-start").click().run()
    app = fine(until(app, "detect", "done"))
    result = app.session_state["job-detect"].result
    assert [metric.label for metric in app.metric] == ["AUROC", "Found at 5 % alarms", "False alarms"]
    assert app.metric[0].value == f"{result.figures['auroc']:.3f}" and "clean_model/auroc" in result.figures
    assert len(app.get("vega_lite_chart")) == (2 if method == "STRIP" else 4)
    overlaid = ["clean", *["overlaid"] * 3, "triggered", *["overlaid"] * 3] if method == "STRIP" else []
    assert [image.captions[0].split("  \n")[0] for image in app.main.get("image")] == overlaid
    assert {"Recipe", "CSV", "JSON"} <= {item.proto.label for item in app.get("download_button")}


def test_a_link_sets_the_poisoned_share(visit):
    app = fine(visit("detect.py", method="SpectralSignatures", poison="2 %", spectralsignatures__eps="0.2"))
    assert app.selectbox(key="poison").value == "2 %"
    app.button(key="detect-start").click().run()
    result = fine(until(app, "detect", "done")).session_state["job-detect"].result
    assert result.recipe.inputs["rate"] == 0.02 and result.recipe.method.eps == 0.2
    assert sum(result.per_image["truth"]) == round(0.02 * len(result.per_image["truth"]))


def test_a_clean_model_is_its_own_control(visit):
    app = fine(visit("detect.py", model="zoo:scenes-clean", method="SpectralSignatures"))
    assert len(app.main.get("image")) == 2  # without and with BadNets, which is stamped on the suspects too
    app.button(key="detect-start").click().run()
    app = fine(until(app, "detect", "done"))
    told = " ".join(caption.value for caption in app.caption)
    assert "BadNets is stamped" in told and "no other, clean model" in told


@pytest.mark.parametrize("guess", ["A quarter or less", "Up to three quarters", "More"])
def test_the_answer_that_is_told_is_that_of_the_run(visit, guess):
    app = fine(visit("detect.py", strip__overlays="4"))
    app.button(key="detect-start").click().run()
    app = fine(until(app, "detect", "done"))
    app.segmented_control(key="guess-detect").set_value(guess).run()
    result = app.session_state["job-detect"].result
    found = result.figures["tpr/5"]
    right = "More" if found > 0.75 else "Up to three quarters" if found > 0.25 else "A quarter or less"
    said = [text.value for text in fine(app).markdown]
    told = next(text for text in said if "Right: " in text or "Not quite: " in text)
    assert told.endswith(f"Right: {right}." if guess == right else f"Not quite: {right}.")
    came_out = f"**What came out.** {result.conclusion.text}"
    assert said.count(came_out) == 1 and f"{100 * found:.1f} % of" in came_out and "(FPR)" in came_out
