"""Bad input, as a visitor meets it on a page: one clear sentence, never a traceback, and the lab goes on."""

from __future__ import annotations

import dataclasses
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import models
import ui.pages
from core.data.scenes import SHAPES
from core.triggers import BadNets
from lab import cache_key, loading
from lab.running import pool as jobs
from lab.running.compute_lock import compute_lock
from lab.running.pool import JobPool
from tests.core.data.test_upload import REFUSED
from tests.support.fakes import Clock
from tests.support.hubs import NOWHERE, local_hub, point_at
from tests.ui.conftest import fine, until

BACKDOORED = "zoo:scenes-badnets"
OWN_CHOICE = "supply_chain", "scoreboard", "outliers"
PAGES = [page.file for page in ui.pages.PAGES if page.kind and page.slug not in OWN_CHOICE]
"""The pages that show the model and the data of the sidebar as they are."""

SHORT = {"tsbd__steps": "10", "tsbd__unlearn_steps": "5", "tsbd__candidates": "1"}


@pytest.fixture(autouse=True)
def _no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing reaches the Hub, its cache is empty, and no loaded model or data set of a test outlives it."""
    point_at(monkeypatch, NOWHERE, tmp_path / "hf")
    keep = [(shelf, shelf._held.copy()) for shelf in (loading.classifiers, loading.image_sets)]
    loading.data_commit.cache_clear()
    yield
    loading.data_commit.cache_clear()
    for shelf, held in keep:
        shelf._held = held


def sentence(app: AppTest) -> str:
    """The one error of a page, which shows no traceback."""
    assert not app.exception, [(error.message, error.stack_trace) for error in app.exception]
    (error,) = app.error
    assert "\n" not in error.value and 20 < len(error.value) < 700 and "Traceback" not in error.value
    return error.value


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def uploaded(visit: Any, name: str, data: bytes, kind: str) -> AppTest:
    """The Regions page after a visitor has brought this file."""
    app = visit("regions.py", state={"own-picture": True}, many="1")
    return app.file_uploader(key="own-file").upload(name, data, kind).run()


@pytest.mark.parametrize("case", ["one byte", "30,000 pixels wide", "a PDF called .png", "cut off"])
def test_a_file_that_is_no_picture(visit, case: str) -> None:
    data, said = REFUSED[case]
    app = uploaded(visit, "picture.png", data, "image/png")
    assert said in sentence(app) and not app.session_state["choice"].upload
    assert not app.button(key="regions-start").disabled  # the page goes on with the test picture


FRAMES = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
STRANGE = {
    "animated": ("a.png", encoded(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), "image/png"),
    "CMYK": ("a.jpg", encoded(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG"), "image/jpeg"),
    "16 bit": ("a.png", encoded(Image.fromarray(np.full((30, 40), 40_000, np.uint16)), "PNG"), "image/png"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_an_unusual_picture_is_read(visit, case: str) -> None:
    app = fine(uploaded(visit, *STRANGE[case]))
    assert app.session_state["choice"].upload.startswith("upload:")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The folder of a local Hub with one model of the ten classes of Scenes, owner/tiny."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = models.create("preact_resnet18", tuple(SHAPES), width=4)
    models.save(model, tmp_path / "hub" / "models" / "owner" / "tiny", perturb={"data": "scenes"})
    return tmp_path / "hub"


def test_models_that_the_hub_does_not_give(visit, hub: Path, tmp_path: Path) -> None:
    owner = hub / "models" / "owner"
    for name in ("gated", "pickled"):
        shutil.copytree(owner / "tiny", owner / name)
    (owner / "gated" / ".gated").touch()
    (owner / "pickled" / "model.safetensors").rename(owner / "pickled" / "pytorch_model.bin")
    with local_hub(hub, tmp_path / "home"):
        assert "no model owner/nothing" in sentence(visit("triggers.py", model="hf:owner/nothing"))
        assert "gated" in sentence(visit("defend.py", model="hf:owner/gated"))
        assert "pickles" in sentence(visit("regions.py", model="owner/pickled"))


def test_no_network_and_a_download_that_breaks_off(
    visit, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the Hub's client waits between its retries
    assert "connect once" in sentence(visit("compare.py", model="hf:owner/tiny"))
    with local_hub(hub, tmp_path / "home", broken=("model.safetensors",)):
        assert "broke off" in sentence(visit("regions.py", model="hf:owner/tiny"))
    with local_hub(hub, tmp_path / "home"):
        fine(visit("regions.py", model="hf:owner/tiny"))  # and on the next try it goes on


@pytest.mark.parametrize("page", PAGES)
def test_a_cifar10_model_without_its_data_offers_scenes(visit, page: str) -> None:
    if "zoo:cifar10-badnets" not in {card.ref for card in models.available()}:
        pytest.skip("needs the shipped model cifar10-badnets (make zoo)")
    app = visit(page, model="zoo:cifar10-badnets")
    said = sentence(app)
    assert "uoft-cs/cifar10 is not in the cache" in said and "Scenes" in said
    fine(app.button(key="use-scenes").click().run())


def held(ref: str, model: models.Classifier, patch: pytest.MonkeyPatch) -> None:
    """Let the lab find `model` under the name `ref`, as if it had been loaded."""
    model.card = dataclasses.replace(model.card, ref=ref, data="scenes")
    loading.classifiers.put((ref,), model.eval().requires_grad_(False))
    cards = [*models.available(), model.card]  # AppTest cannot send back a choice that is none of the options
    patch.setattr(models, "available", lambda: cards)
    real = cache_key.model_sha
    patch.setattr(cache_key, "model_sha", lambda name: "made here" if name == ref else real(name))


def test_a_model_of_other_classes(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    held("strange", models.create("preact_resnet18", ("ant", "bee", "cat"), width=4), monkeypatch)
    app = visit("defend.py", model="strange", data="scenes", **SHORT)
    app.button(key="defend-start").click().run()
    said = sentence(until(app, "defend", "failed"))
    assert "3 classes" in said and "choose data that the model was trained for" in said


ASKED_BY_A_RUN = ("heatmaps.py", "concepts.py", "attacks.py", "universal.py", "report.py")
"""Pages whose script asks nothing of the model."""


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("reactivate.py", *ASKED_BY_A_RUN)])
def test_weights_that_are_no_numbers(visit, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = models.create("preact_resnet18", tuple(SHAPES), width=4)
    with torch.no_grad():
        broken.net.linear.weight.fill_(float("nan"))
    broken.trigger, broken.target = BadNets(), 0
    held("broken", broken, monkeypatch)
    app = visit(page, model="broken", data="scenes", regional__family="attention")
    assert "not finite" in sentence(app)


@pytest.mark.parametrize("page", ASKED_BY_A_RUN)
def test_weights_that_are_no_numbers_where_a_run_asks_the_model(visit, page: str, monkeypatch) -> None:
    broken = models.create("preact_resnet18", tuple(SHAPES), width=4)
    with torch.no_grad():
        broken.net.linear.weight.fill_(float("nan"))
    held("broken", broken, monkeypatch)
    slug, app = page.removesuffix(".py"), visit(page, model="broken", data="scenes")
    if f"{slug}-start" in [button.key for button in app.button]:
        app.button(key=f"{slug}-start").click().run()
    app = until(app, slug, "failed")
    assert "not finite" in sentence(app)


def test_memory_that_runs_out(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.create("preact_resnet18", tuple(SHAPES), width=4)
    held("large", model, monkeypatch)
    app = fine(visit("defend.py", model="large", data="scenes", **SHORT))

    def greedy(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(type(model), "forward", greedy)
    app.button(key="defend-start").click().run()
    until(app, "defend", "failed")
    assert "more memory than there is" in app.session_state["job-defend"].error
    assert "more memory than there is" in sentence(visit("triggers.py", model="large", data="scenes"))


LINKS: dict[str, tuple[str, dict[str, str], str]] = {
    "unknown trigger": ("triggers.py", {"method": "Nonsense"}, "method = Nonsense"),
    "unknown attack": ("regions.py", {"method": "TSBD"}, "method = TSBD"),
    "unknown defense": ("defend.py", {"method": "<b>x"}, "method = \\<b>x"),
    "a picture beyond counting": ("defend.py", {"images": "9" * 30}, "images = 9999"),
    "a negative picture": ("regions.py", {"images": "-4"}, "images = -4"),
    "a picture in words": ("compare.py", {"images": "first"}, "images = first"),
    "a picture in words, first page": ("", {"images": "[a](b)"}, "images = \\[a]"),
    "a seed beyond the range": ("defend.py", {"seed": "9" * 30}, "seed = 999"),
    "how many pictures": ("regions.py", {"many": "5"}, "many = 5"),
    "an unknown heatmap": ("triggers.py", {"explainer": "Tea"}, "explainer = Tea"),
    "a knob in words": ("defend.py", {"tsbd__steps": "many"}, "tsbd-steps = many"),
    "a knob beyond its range": ("defend.py", {"tsbd__steps": "1" * 30}, "tsbd-steps = 111"),
    "a knob with markup": ("defend.py", {"tsbd__schedule": "[a](b)"}, "tsbd-schedule = \\[a]"),
    "a patch larger than the picture": (
        "universal.py", {"method": "Patch", "patch__largest": "1.5"}, "patch-largest = 1.5, and it must be in"
    ),
    "another version": ("defend.py", {"v": "2"}, "version 2"),
    "another version, first page": ("", {"v": "x"}, "version x"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINKS)
def test_a_link_edited_by_hand_is_told_and_the_page_goes_on(visit, case: str) -> None:
    page, query, said = LINKS[case]
    app = fine(visit(page, **query))
    (warning,) = app.warning
    assert said in warning.value and "\n" not in warning.value and len(warning.value) < 300


@pytest.mark.parametrize("page", ["", *PAGES])
@pytest.mark.parametrize("value", ["9" * 400, "1e999", "-inf"])
def test_a_number_beyond_any_float_ends_the_page(visit, page: str, value: str) -> None:
    assert f"seed = {value[:40]}, a number" in sentence(visit(page, seed=value))


def test_a_told_value_is_forgotten_once_its_control_is_moved(visit) -> None:
    app = visit("defend.py", method="Nonsense")
    assert len(fine(app.run()).warning) == 1
    assert not fine(app.selectbox(key="method").select("FineTuning").run()).warning


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"model": "zoo:nothing"}, "nothing"),
        ({"model": "x" * 5000}, "no model"),
        ({"data": "nonsense"}, "no data set 'nonsense'"),
    ],
)
def test_a_link_to_what_is_not_there(visit, page: str, query: dict[str, str], said: str) -> None:
    app = visit(page, **query)
    assert said in sentence(app)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "neurons.py"])  # which shows no picture
def test_a_link_to_a_picture_that_is_not_there(visit, page: str) -> None:
    assert "99998 is not a test image" in sentence(visit(page, images="99998"))


WRONG_RUNS = {
    "not JSON": ({"recipe": '{"bro'}, "not valid JSON"),
    "empty": ({"recipe": "{}"}, "no method"),
    "another version": ({"v": "7", "recipe": "{}"}, "version '7'"),
    "an endless chain": ({"recipe": '{"method": {"method": "TSBD"}, "model": ' * 60 + '"x"' + "}" * 60}, "chain"),
    "a value beyond any float": (
        {"recipe": '{"method": {"method": "TSBD", "lr": 1' + "0" * 400 + '}, "model": "x"}'}, "TSBD.lr"),
    "an attack": ({"recipe": '{"method": {"method": "PGD"}, "model": "zoo:scenes-clean"}'}, "compares defenses"),
    "a bad number": ({"method": "TSBD", "tsbd__steps": "many"}, "TSBD.steps"),
    "an unknown model": ({"recipe": '{"method": {"method": "TSBD"}, "model": "zoo:nothing"}'}, "nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_RUNS)
def test_a_link_to_a_run_that_cannot_be(visit, case: str) -> None:
    query, said = WRONG_RUNS[case]
    assert said in sentence(visit("compare.py", **query))


def test_a_tab_closed_in_mid_run_frees_the_lab(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = dataclasses.replace(jobs.settings, abandon_after=0.3)
    pool = JobPool(limits, compute_lock)
    monkeypatch.setattr(jobs, "_pool", pool)
    try:
        left = visit("defend.py", method="FineTuning", finetuning__steps="5000")
        left.button(key="defend-start").click().run()
        job = left.session_state["job-defend"]
        Clock.until(lambda: job.ended)  # nobody runs that page again
        assert job.state == "stopped"
        Clock.until(lambda: not compute_lock.waiting and compute_lock._owner is None)
        pool.limits = jobs.settings
        app = visit("defend.py", method="FineTuning", finetuning__steps="0")
        app.button(key="defend-start").click().run()
        fine(until(app, "defend", "done"))
    finally:
        pool.shutdown()
