"""Every page, as a visitor meets it: at first click, by a link, by a wrong link, with a run that ends or is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st

import lab.loading
import models
from core.attacks.inputs.regional.regional import FAMILIES as families
from core.defenses import FineTuning
from lab.recipes import Recipe
from lab.running.job import Job
from tests.ui.conftest import fine, until
from ui.pages import PAGES, Card, Page
from ui.sidebar import OWN_DATA, own_data
from ui.views.regional import FAMILIES
from ui.widgets import jobs
from ui.widgets.cards import gallery, model_of

EXAMPLES = Path(__file__).parents[2] / "recipes"
CARDS = gallery()


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_works_at_first_click(visit, page: Page):
    app = fine(visit(page.file if page is not PAGES[0] else ""))
    assert app.title[0].value == (page.title if page is not PAGES[0] else "Perturb Lab")
    assert not app.warning


def need(card: Card) -> str:
    """The model of a card; the test is skipped where it, or its data, is not at hand."""
    model = model_of(card)
    if model not in {known.ref for known in models.available()}:
        pytest.skip(f"needs the shipped model {model} (make zoo)")
    try:
        lab.loading.images(own_data(model), "test", limit=1)
    except ValueError as error:
        pytest.skip(str(error))
    return model


@pytest.mark.parametrize(("page", "card"), CARDS, ids=[card.title for _, card in CARDS])
def test_what_a_card_sets_is_a_link_that_works(visit, page: Page, card: Card):
    model = need(card)
    values = {name.replace("-", "__"): str(value) for name, value in card.state.items()}
    app = fine(visit(page.file, model=model, images=str(card.image), **values))
    assert app.session_state["choice"].model == model and app.session_state["choice"].index == card.image
    for key, value in card.state.items():
        assert app.session_state[key] == value
    assert not app.warning


def test_one_click_on_a_card_sets_the_sidebar_and_the_page_that_its_button_names(visit, monkeypatch):
    gone: list[str] = []
    # AppTest cannot go to another page from a callback.
    monkeypatch.setattr("ui.widgets.cards.st.switch_page", lambda page, query_params: gone.append(page))
    home = fine(visit("", data="scenes", images="3"))
    for page, card in CARDS:
        button = home.button(key=f"open-{card.title}")
        assert button.label == f"Open in {page.title}"
        button.click().run()
        assert gone.pop() == page.file
        wanted = {"model": model_of(card), "data": OWN_DATA, "images": card.image, **card.state}
        assert {name: home.session_state[name] for name in wanted} == wanted


def test_the_gallery_shows_pictures_not_errors(visit):
    app = fine(visit(""))
    pictured = sum(card.shows != "code" for _, card in CARDS)
    assert len(app.main.get("image")) == 2 * pictured
    assert [block.language for block in app.code] == ["plaintext"]


def test_a_link_sets_the_triggers_page(visit):
    app = fine(visit("triggers.py", method="Blended", blended__alpha="0.4", images="14", explainer="HiResCAM"))
    assert app.selectbox(key="method").value == "Blended"
    assert app.slider(key="blended-alpha").value == 0.4
    assert app.number_input(key="images").value == 14
    assert app.selectbox(key="explainer").value == "HiResCAM"


def test_a_trigger_that_no_training_has_fitted_is_one_sentence(visit):
    app = visit("triggers.py", method="InputAware")
    assert not app.exception and len(app.error) == 1
    assert "has not been fitted yet" in app.error[0].value


def test_a_trigger_is_fitted_to_the_model_and_then_shown(visit):
    quick = {"lowfrequency__pictures": "10", "lowfrequency__passes": "1", "lowfrequency__steps": "1"}
    app = fine(until(visit("triggers.py", method="LowFrequency", **quick), "triggers", "done"))
    assert {"Attack success", "ASR, clean model"} <= set(metrics(app))
    assert not any("being fitted" in caption.value for caption in app.caption)


def test_figures_of_a_trigger_come_with_their_floor(visit):
    app = fine(until(visit("triggers.py"), "triggers", "done"))
    found = metrics(app)
    assert float(found["Attack success"].split()[0]) > 90
    assert float(found["ASR, clean model"].split()[0]) < 20


def test_figures_of_the_former_setting_stay_in_grey_until_the_new_ones_are_there(visit, monkeypatch):
    app = fine(until(visit("triggers.py"), "triggers", "done"))
    before = metrics(app)
    monkeypatch.setattr(jobs, "start", waiting(jobs.start))
    app.slider(key="badnets-side").set_value(1).run()
    assert metrics(fine(app)) == {label: f":gray[{value}]" for label, value in before.items()}
    assert any("Grey figures belong to the former settings" in caption.value for caption in app.caption)
    monkeypatch.undo()
    app.slider(key="badnets-side").set_value(2).run()
    app = fine(until(app, "triggers", "done"))
    assert not any("gray" in value for value in metrics(app).values())
    assert not any("Grey" in caption.value for caption in app.caption)


def waiting(start):
    """`jobs.start`, but the job does not come to its end before the page is drawn."""

    def held(slot, recipe):
        start(slot, recipe)
        job = st.session_state[f"job-{slot}"]
        st.session_state[f"job-{slot}"] = Job(recipe, job.key, job._pool)

    return held


def test_a_result_of_other_settings_is_grey_and_names_the_button(visit):
    app = visit("regions.py", method="FGSM", many="1")
    app.button(key="regions-start").click().run()
    app = fine(until(app, "regions", "done"))
    assert metrics(app)["Fooled"] in ("0 of 1", "1 of 1")
    app.number_input(key="seed").set_value(5).run()
    assert metrics(fine(app))["Fooled"] in (":gray[0 of 1]", ":gray[1 of 1]")
    assert any("Press **Attack** for the new ones" in caption.value for caption in app.caption)


@pytest.mark.parametrize("value", ["99", "-3", "x", ""])
def test_a_wrong_value_in_a_link_gives_the_default_and_a_sentence(visit, value):
    app = fine(visit("triggers.py", method="BadNets", badnets__side=value))
    assert app.slider(key="badnets-side").value == 3
    assert "badnets-side" in app.warning[0].value and len(app.warning) == 1


def test_a_wrong_choice_in_a_link_gives_the_default_and_a_sentence(visit):
    app = fine(visit("regions.py", regional__family="moon"))
    assert app.selectbox(key="regional-family").value == "square"
    assert "regional-family" in app.warning[0].value


def test_an_unknown_model_is_one_sentence_and_a_way_on(visit):
    app = visit("defend.py", model="zoo:nothing")
    assert not app.exception and len(app.error) == 1
    assert "nothing" in app.error[0].value
    assert app.button(key="use-scenes")


def test_data_that_cannot_be_had_are_one_sentence_and_a_way_on(visit, monkeypatch):
    real = lab.loading.images

    def images(data, split, **more):
        if data == "gtsrb":
            raise ValueError("gtsrb is not in the cache and there is no network; connect, or choose scenes.")
        return real(data, split, **more)

    monkeypatch.setattr(lab.loading, "images", images)
    app = visit("triggers.py", data="gtsrb")
    assert not app.exception
    assert [error.value for error in app.error] == [
        "gtsrb is not in the cache and there is no network; connect, or choose scenes."
    ]
    fine(app.button(key="use-scenes").click().run())


def test_a_picture_that_does_not_exist_is_one_sentence(visit):
    app = visit("triggers.py", images="5000")
    assert not app.exception and len(app.error) == 1 and "5000" in app.error[0].value


def test_a_short_defense_runs_to_its_end(visit):
    app = fine(visit("defend.py", method="FineTuning", finetuning__steps="20", seed="3"))
    assert app.number_input(key="seed").value == 3
    app.button(key="defend-start").click().run()
    app = fine(until(app, "defend", "done"))
    result = app.session_state["job-defend"].result
    assert result.recipe.seed == 3 and result.recipe.method.steps == 20
    assert "Finished after" in " ".join(caption.value for caption in app.caption)
    assert metrics(app)["Accuracy"].endswith("%")
    labels = [item.proto.label for item in app.get("download_button")]
    assert {"Recipe", "PNG", "CSV"} <= set(labels)
    # The picture's number is not part of the run: it changes without a new one.
    app.number_input(key="images").set_value(14).run()
    assert fine(app).session_state["job-defend"].result is result


def test_stop_ends_a_defense_and_keeps_what_it_found(visit):
    app = visit("defend.py", method="FineTuning", finetuning__steps="5000")
    app.button(key="defend-start").click().run()
    until(app, "defend", "running")
    app.button(key="defend-stop").click().run()
    app = fine(until(app, "defend", "stopped"))
    assert "Stopped after" in " ".join(caption.value for caption in app.caption)
    assert not app.button(key="defend-start").disabled


@pytest.mark.parametrize("page", [page for page in PAGES if page.kind], ids=lambda page: page.slug)
def test_the_first_run_of_a_page_is_its_example_recipe(visit, page: Page):
    """So `perturb run recipes/….json` prints the page's figures; only the number of pictures is small in tests."""
    app = visit(page.file)
    start = [button for button in app.button if button.key == f"{page.slug}-start"]
    if start and (f"job-{page.slug}" not in app.session_state or app.session_state[f"job-{page.slug}"] is None):
        start[0].click().run()
    job = app.session_state[f"job-{page.slug}"]
    job.stop(app.session_state["visitor"])
    until(app, page.slug, "stopped", "done")
    example = Recipe.from_json((EXAMPLES / f"{page.slug}.json").read_text())
    assert few(job.recipe).replace(seed=0) == few(example)
    assert job.recipe.seed == 0 or page.slug == "scoreboard"  # which goes on with the first seed that is missing


def few(recipe: Recipe) -> Recipe:
    """Without the number of pictures, along the whole chain."""
    inner = recipe.model if isinstance(recipe.model, str) else few(recipe.model)
    return recipe.replace(model=inner, inputs={name: value for name, value in recipe.inputs.items() if name != "n"})


def test_an_attack_on_a_region_is_compared_with_the_whole_picture(visit):
    app = visit("regions.py", many="1", regional__steps="40", model="zoo:scenes-clean", judge="zoo:scenes-clean")
    app.button(key="regions-start").click().run()
    app = fine(until(app, "regions", "done"))
    found = metrics(app)
    assert {"Fooled", "Fooled, whole", "Fooled, noise", "Still transfers"} < set(found)
    result = app.session_state["job-regions"].result
    assert len(result.notes["models"].split(", ")) == 5 and len(app.get("vega_lite_chart")) == 2
    assert {"Who else is fooled", "The changes in frequency"} <= {header.value for header in app.header}
    captions = " ".join(str(image.proto) for image in app.main.get("image"))
    assert captions.count("% fine") == 3 and len(app.dataframe) == 1
    outside = ~result.images["region"][0]
    assert result.images["perturbation"][0][:, outside].abs().max() == 0


def test_a_drawn_region_comes_from_the_link_and_an_empty_one_cannot_start(visit):
    for link in ({}, {"mask": "0" * 64}):
        app = fine(visit("regions.py", regional__family="drawn", **link))
        assert app.button(key="regions-start").disabled
        assert any("Mark at least one cell first" in caption.value for caption in app.caption)
    mask = "0" * 16 + "0ff0" * 8 + "0" * 16
    app = fine(visit("regions.py", regional__family="drawn", mask=mask))
    assert not app.button(key="regions-start").disabled


def test_every_family_of_regions_is_offered_in_words_and_the_anti_heatmap_is_shown(visit):
    assert list(FAMILIES) == list(families)
    app = fine(visit("regions.py", regional__family="unattended", model="zoo:scenes-clean", images="66"))
    assert any("anti-heatmap" in caption.value for caption in app.caption)
    assert "29 % may change" in " ".join(str(image.proto) for image in app.main.get("image"))


@pytest.mark.parametrize("attack", ["PGD", "FGSM"])
def test_the_global_attacks_run_too(visit, attack):
    app = visit("regions.py", method=attack, many="1")
    app.button(key="regions-start").click().run()
    assert fine(until(app, "regions", "done")).session_state["job-regions"].result.figures


def test_compare_offers_a_run_it_does_not_know_and_shows_one_it_does(visit):
    recipe = Recipe(FineTuning(steps=10), "zoo:scenes-badnets", "scenes", {"n": 50}, seed=7)
    app = fine(visit("compare.py", recipe=recipe.to_json()))
    assert app.info and app.session_state["job-compare"] is None
    app.button(key="compare-start").click().run()
    app = fine(until(app, "compare", "done"))
    assert metrics(app)["Attack success"].endswith("%")
    assert app.dataframe[0].value["Seed"].tolist()[0] == 7
    again = fine(visit("compare.py", recipe=recipe.to_json()))
    assert not again.info, "a finished run is kept for the next visitor"


@pytest.mark.parametrize(
    "recipe",
    ["{", "[]", '{"method": {"method": "Nothing"}, "model": "zoo:scenes-badnets"}', json.dumps({"v": 7})],
)
def test_a_broken_recipe_in_a_link_is_one_sentence(visit, recipe):
    app = visit("compare.py", recipe=recipe)
    assert not app.exception and len(app.error) == 1


def test_a_bad_upload_is_one_sentence_and_the_page_goes_on(visit):
    app = visit("triggers.py", state={"own-picture": True})
    app.file_uploader(key="own-file").upload("picture.png", b"\x89", "image/png").run()
    assert not app.exception and len(app.error) == 1
    assert app.title[0].value == "Triggers" and len(app.metric) == 4


def test_an_upload_is_used_on_every_page(visit, tmp_path):
    from PIL import Image

    file = tmp_path / "own.png"
    Image.new("RGB", (60, 40), (200, 30, 30)).save(file)
    app = visit("triggers.py", state={"own-picture": True})
    app.file_uploader(key="own-file").upload("own.png", file.read_bytes(), "image/png").run()
    assert fine(app).session_state["upload"].startswith("upload:")
    fine(app.switch_page("regions.py").run())
    assert app.session_state["choice"].upload


@pytest.mark.parametrize(
    ("said", "judge"), [("its clean twin", "zoo:scenes-clean"), ("the model itself", "zoo:scenes-badnets")]
)
def test_a_judge_that_an_earlier_link_has_in_words_is_found(visit, said, judge):
    app = fine(visit("regions.py", state={"link-regions": True}, judge=said))
    assert not app.warning and judged(app) == judge


def judged(app) -> str:
    """The judge of the recipe that the page's link stands for."""
    address = next(block.value for block in app.code if "judge=" in block.value)
    return Recipe.from_query(dict(parse_qsl(urlsplit(address).query))).inputs["judge"]


def test_the_link_of_a_judge_is_a_models_name(visit):
    assert judged(fine(visit("regions.py", state={"link-regions": True}))) == "zoo:scenes-clean"
