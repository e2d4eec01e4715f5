"""The Poison page: a grid of poisoned pictures, a training from click to figures, and its link."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import loading
from tests.support.hubs import local_hub
from tests.ui.conftest import fine, until


def test_a_clean_model_learns_a_trigger_from_poisoned_pictures(visit):
    app = fine(
        visit(
            "poison.py", model="zoo:scenes-clean", poisonedfinetuning__steps="20", poisonedfinetuning__pictures="200",
            poison__target="2", trigger="BadNets", badnets__side="5",
        )
    )  # fmt: skip
    assert any("10% of all training pictures carry the trigger" in caption.value for caption in app.caption)
    app.button(key="poison-start").click().run()
    app = fine(until(app, "poison", "done"))
    result = app.session_state["job-poison"].result
    method = result.recipe.method
    assert (method.steps, method.pictures, method.poison.target, method.poison.trigger.side) == (20, 200, 2, 5)
    assert result.model.target == 2 and result.model.card.backdoored
    assert {"before/acc", "before/asr", "after/asr", "clean_model/asr"} <= set(result.figures)
    assert [metric.label for metric in app.metric] == ["Attack success", "Accuracy", "Still right"]
    assert any("What came out." in text.value for text in app.markdown)


def test_a_fresh_network_learns_from_its_first_weights(visit):
    app = fine(visit("poison.py", way="A fresh network", standard__epochs="0", network="cifar_resnet20"))
    app.button(key="poison-start").click().run()
    app = fine(until(app, "poison", "done"))
    result = app.session_state["job-poison"].result
    assert result.recipe.model == "arch:cifar_resnet20" and "before/acc" not in result.figures


def test_settings_that_contradict_each_other_are_said_in_a_sentence(visit):
    app = visit("poison.py", poison__clean_label="true", poison__mode="all-to-all", trigger="BadNets")
    assert not app.exception
    assert any("clean_label keeps labels" in error.value for error in app.error)


def test_a_trigger_that_is_learned_in_the_run_shows_no_grid(visit):
    app = fine(visit("poison.py", trigger="InputAware"))
    assert any("is learned in the run" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("mode", "told"), [("any-to-any", "of their own class"), ("any-to-one", "of the target class")]
)
def test_drawn_motions_are_shown_before_the_run(visit, mode: str, told: str):
    app = fine(visit("poison.py", trigger="Flareon", poison__mode=mode))
    assert any(told in caption.value for caption in app.caption)
    assert not any("is learned in the run" in caption.value for caption in app.caption)
    app = fine(visit("poison.py", trigger="Flareon", flareon__motion="learned"))
    assert any("is learned in the run" in caption.value for caption in app.caption)


def test_another_trigger_is_stamped_on_the_picture_that_is_watched(visit):
    app = fine(visit("poison.py", trigger="Blended"))
    plain, triggered = app.session_state["poison-views"]
    app = fine(app.selectbox(key="trigger").select("BadNets").run())
    again, other = app.session_state["poison-views"]
    assert (again.pixels == plain.pixels).all() and (other.pixels != triggered.pixels).any()


def test_a_net_for_large_pictures_is_poisoned_on_half_of_a_single_split(visit, shared_hub: Path, tmp_path: Path):
    keep = [(shelf, shelf._held.copy()) for shelf in (loading.classifiers, loading.image_sets)]
    try:
        with local_hub(shared_hub, tmp_path / "home"):
            loading.data_commit.cache_clear()
            app = fine(
                visit(
                    "poison.py", model="hf:google-coral/mobilenet_v2_1.0_224", data="hf:imagenet-sample/imagenet-100",
                    trigger="Blended", poisonedfinetuning__steps="2", poisonedfinetuning__pictures="20",
                )
            )  # fmt: skip
            assert any("a single split" in caption.value for caption in app.caption)
            app.button(key="poison-start").click().run()
            app = fine(until(app, "poison", "done"))
            result = app.session_state["job-poison"].result
    finally:
        for shelf, held in keep:
            shelf._held = held
    assert result.recipe.method.layers == "last blocks" and "a single split" in result.notes["split"]
    assert result.counts["after/acc"] == 50 and result.model.report["pictures"] == 20
    stages = [point["stage"] for point in result.curve]
    assert stages.index("features") < stages.index("classifier") < stages.index("tune")
