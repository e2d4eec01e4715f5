"""The page Mixing: masks and pictures that follow the controls, trainings side by side, its link, and bad input."""

from __future__ import annotations

import pytest
from PIL import Image

from core.data import upload
from lab import uploads
from tests.ui.conftest import fine, until, words

SMALL = {"mixing__epochs": "1", "mixing__pictures": "64", "mixing__batch_size": "32", "n": "50"}


def test_the_mixed_picture_its_label_and_the_masks_follow_the_controls(visit):
    app = fine(visit("mixing.py", lam="0.25", images="9", partner="14"))
    stored = app.dataframe[0].value.astype(str).to_string()
    assert "cifar10-cutmix" in stored and "0, 1, 2" in stored
    assert "cifar10-unmixed" in stored and "not trained" not in stored
    assert "What small VAEs learn" in " ".join(part.value for part in app.header)
    assert "25% " in words(app) and "at λ = 0.25" in words(app) and "FMix, official-code" in words(app)
    charts = len(app.get("vega_lite_chart"))
    app.slider(key="lam").set_value(1.0).run()
    assert "Its label in a training: 100% " in words(fine(app))
    app.selectbox(key="mixer").set_value("MixUp").run()
    assert "MixUp has no mask with a shape" in words(fine(app))
    assert len(app.get("vega_lite_chart")) == charts - 1, "no spectrum"
    app.selectbox(key="mixer").set_value("CutMix").run()
    assert "| CutMix |" in words(fine(app)) and "| FMix |" in words(app)


def test_trainings_side_by_side_from_click_to_charts(visit):
    app = fine(visit("mixing.py", **SMALL))
    before = len(app.get("vega_lite_chart"))
    app.button(key="mixing-start").click().run()
    app = fine(until(app, "mixing", "done", seconds=300))
    result = app.session_state["job-mixing"].result
    assert [metric.label for metric in app.metric] == [
        "Accuracy, no mixing", "Accuracy, first mixer", "Accuracy, second mixer",
    ]  # fmt: skip
    assert result.conclusion.text in words(app) and "50 test pictures" in words(app)
    assert len(app.get("vega_lite_chart")) == before + 4, "accuracies, reliability, corruptions, layers"
    assert list(app.dataframe[0].value["training"]) == ["no mixing", "FMix", "CutMix"]
    app.run()
    from ui.views.mixing import networks_of

    assert len(networks_of(app.session_state["choice"], result)) == 4
    assert result.recipe.method.first.decay == 3.0


def test_a_link_sets_everything_and_one_mixer_is_enough(visit):
    link = SMALL | {"mixer": "CutMix", "cutmix__alpha": "0.5", "beside": "nothing", "way": "A fresh network"}
    app = fine(visit("mixing.py", **link))
    assert not app.warning
    app.button(key="mixing-start").click().run()
    job = app.session_state["job-mixing"]
    method = job.recipe.method
    assert method.first.alpha == 0.5 and method.second is None and str(job.recipe.model).startswith("arch:")
    assert len(app.metric) == 2


@pytest.mark.parametrize(("link", "said"), [({"lam": "1.5"}, "lam"), ({"fmix__decay": "99"}, "decay")])
def test_a_value_out_of_range_is_one_sentence(visit, link, said):
    app = fine(visit("mixing.py", **link))
    assert any(said in warning.value for warning in app.warning)


def test_a_second_picture_that_is_not_there_is_one_sentence(visit):
    app = visit("mixing.py", partner="99999")
    assert not app.exception and len(app.error) == 1 and "not a test image" in app.error[0].value


def test_an_uploaded_picture_is_decoded_once_however_often_the_page_is_drawn(visit, tmp_path, monkeypatch):
    decoded = []
    real = upload.decode
    monkeypatch.setattr(upload, "decode", lambda data: decoded.append(1) or real(data))
    Image.new("RGB", (40, 40), "red").save(tmp_path / "own.png")
    app = fine(visit("mixing.py"))
    app.file_uploader(key="second-file").upload("own.png", (tmp_path / "own.png").read_bytes(), "image/png").run()
    app = fine(app.slider(key="lam").set_value(0.25).run())
    assert "25% " in words(app) and "your second picture" in words(app) and len(decoded) == 1
    uploads.kept.clear()
    assert "your second picture" in words(fine(app.slider(key="lam").set_value(0.75).run())) and len(decoded) == 2
