"""The page Robust training: two trainings at once from click to figures, its link, its records, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import models
from models import shelf
from models.record import FILE, record_of
from tests.ui.conftest import fine, until, words
from ui.views.robust import told

SMALL = {
    "adversarial__epochs": "2", "adversarial__pictures": "64", "adversarial__heldout": "16", "pgd__steps": "1",
    "n": "50",
}  # fmt: skip
TRAINED = "zoo:cifar10-at-awp"


def run(app: Any) -> Any:
    app.button(key="robust_training-start").click().run()
    return fine(until(app, "robust_training", "done", seconds=300))


def test_two_trainings_from_one_start_have_their_figures_curves_and_costs(visit):
    app = fine(visit("robust_training.py", **SMALL))
    before = len(app.get("vega_lite_chart"))
    app = run(app)
    result = app.session_state["job-robust_training"].result
    assert [metric.label for metric in app.metric][:4] == [
        "Accuracy", "Robust accuracy", "Robust, training", "Robust gap",
    ]  # fmt: skip
    assert len(app.metric) == 8 and result.notes == {"method": "AT-AWP", "beside": "AT"}
    assert len(app.get("vega_lite_chart")) == before + 2, "robust and clean accuracy by epoch"
    assert result.conclusion.text in words(app) and "a difference of" in words(app)
    assert "on 16 pictures held out" in words(app)
    assert result.recipe.method.judge.eps == result.recipe.method.attack.eps == 8 / 255
    assert any("in the sidebar's list as" in text.value for text in app.markdown), "the model that it leaves"


def test_one_training_alone_and_a_single_step(visit):
    app = run(fine(visit("robust_training.py", method="FGSM-RS", beside="nothing", **SMALL)))
    result = app.session_state["job-robust_training"].result
    assert len(app.metric) == 4 and "beside" not in result.recipe.inputs
    assert type(result.recipe.method.attack).__name__ == "FGSMRS"
    assert "Will the network be robust?" in [group.label for group in app.segmented_control]


def test_a_link_sets_everything(visit):
    link = SMALL | {"method": "TRADES-AWP", "beside": "MART", "way": "A fresh network", "awp__gamma": "0.02"}
    app = fine(visit("robust_training.py", **link))
    assert not app.warning
    app.button(key="robust_training-start").click().run()
    recipe = app.session_state["job-robust_training"].recipe
    assert recipe.model.startswith("arch:") and type(recipe.method).__name__ == "TRADES"
    assert recipe.method.weight_perturbation.gamma == 0.02 and recipe.inputs["beside"]["method"] == "MART"
    app.button(key="robust_training-stop").click().run()
    until(app, "robust_training", "stopped")


@pytest.mark.parametrize(
    ("link", "said"),
    [({"adversarial__heldout": "0", "adversarial__early_stop": "true"}, "needs pictures that are held out"),
     ({"pgd__restarts": "3"}, "does not fit into a training")],
)  # fmt: skip
def test_settings_that_do_not_fit_are_one_sentence(visit, link: dict[str, str], said: str):
    app = visit("robust_training.py", **SMALL | link)
    assert not app.exception and len(app.error) == 1 and said in app.error[0].value


def test_the_records_are_drawn_with_their_best_and_last_epoch(visit):
    app = fine(visit("robust_training.py"))
    record = record_of(TRAINED)
    assert record is not None and app.slider(key="epoch").value == 115
    assert told(TRAINED, record) in words(app) and "a loss of" in told(TRAINED, record)
    (table,) = [frame.value for frame in app.dataframe]
    row = table[table["net"] == TRAINED].iloc[0]
    assert row["epoch"] == 115 and row["PGD, others"] == pytest.approx(100 * record.epochs["heldout/robust"][-1])
    app = fine(app.slider(key="epoch").set_value(7).run())
    (table,) = [frame.value for frame in app.dataframe]
    row = table[table["net"] == TRAINED].iloc[0]
    assert row["gap"] == pytest.approx(100 * (record.epochs["train/robust"][6] - record.epochs["heldout/robust"][6]))


def test_a_net_without_a_record_is_named(visit):
    app = fine(visit("robust_training.py"))
    app = fine(app.multiselect(key="records").set_value([TRAINED, "zoo:scenes-clean"]).run())
    assert any("No record of its epochs ships with zoo:scenes-clean" in info.value for info in app.info)
    app = fine(app.multiselect(key="records").set_value([]).run())
    assert not app.dataframe


def test_without_any_record_the_page_says_so(visit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("models.record.FILE", "nothing.json")
    app = fine(visit("robust_training.py"))
    assert any("has a record of its epochs" in info.value for info in app.info) and not app.dataframe


def test_every_shipped_record_is_offered(visit):
    app = fine(visit("robust_training.py"))
    shipped = {f"zoo:{path.parent.name}" for path in Path(shelf.ZOO).glob(f"*/{FILE}")}
    plain = {card.ref for card in models.available() if not card.backdoored}
    assert shipped <= set(app.multiselect(key="records").options) == plain
