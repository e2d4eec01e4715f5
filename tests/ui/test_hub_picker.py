"""The Hub in the sidebar: search, filters, hits, what was used last, addresses, revisions, and data that fit."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

import models
from core.data.about import _about
from core.data.scenes import SHAPES
from lab import loading
from tests.core.data.test_about import CARD
from tests.core.data.test_hub import CIFAR, write
from tests.lab.test_fit import AIRPLANES
from tests.models.conftest import tiny
from tests.support.hubs import local_hub
from tests.support.local_hub import HubServer
from tests.ui.conftest import fine
from ui import recent


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """Three models and two data sets; nothing that a test has loaded outlives it."""
    root, owner = tmp_path / "hub", tmp_path / "hub" / "models" / "owner"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shapes = models.create("preact_resnet18", tuple(SHAPES), width=4)
        planes = models.create("preact_resnet18", AIRPLANES, width=4)
    models.save(shapes, owner / "shapes", perturb={"data": "scenes", "licence": "mit"})
    models.save(planes, owner / "planes", perturb={})
    models.save(tiny(), owner / "insects", perturb={})
    (owner / "shapes" / ".downloads").write_text("1234")
    write(root, CIFAR, "plain_text/test-00000-of-00001.parquet", [i % 10 for i in range(80)], names=list(AIRPLANES))
    for part in ("test", "train"):
        write(root, "a/cranes", f"{part}.parquet", [0, 1])
    (root / "datasets" / "a" / "cranes" / "README.md").write_text(CARD)
    keep = [(shelf, shelf._held.copy()) for shelf in (loading.classifiers, loading.image_sets)]
    _about.cache_clear()
    loading.data_commit.cache_clear()
    with local_hub(root, tmp_path / "home") as server:
        yield server
    for shelf, held in keep:
        shelf._held = held
    _about.cache_clear()
    loading.data_commit.cache_clear()


def searched(visit, text: str, page: str = "triggers.py", **state) -> AppTest:
    app = visit(page, state={"hub": True, **state})
    return fine(app.text_input(key="hub-text").set_value(text).run())


def captions(app: AppTest) -> str:
    return " | ".join(caption.value for caption in app.caption)


def take(app: AppTest, name: str) -> AppTest:
    """A click on the hit of this name."""
    return next(b for b in app.button if (b.key or "").startswith(f"take-hf:{name}@")).click().run()


def test_a_hit_says_what_it_is_and_a_click_chooses_it_pinned(visit, hub: HubServer) -> None:
    app = searched(visit, "shapes")
    assert "million parameters · 32 × 32 px · 10 classes · licence: mit · 1,234 downloads" in captions(app)
    app = fine(take(app, "owner/shapes"))
    chosen = app.session_state["choice"].model
    assert re.fullmatch(r"hf:owner/shapes@[0-9a-f]{40}", chosen) and not app.session_state["hub"]
    assert f"Revision `{chosen.split('@')[1]}`" in captions(app)


def test_filters(visit, hub: HubServer) -> None:
    shutil.copytree(hub.root / "models/owner/shapes", hub.root / "models/owner/closed")
    (hub.root / "models/owner/closed/.gated").touch()
    app = searched(visit, "owner/")
    assert next(b.label for b in app.button if (b.key or "").startswith("take-")) == "owner/shapes"
    assert not any(b.label == "owner/closed" for b in app.button)
    app = app.toggle(key="hub-fits").set_value(False).run()
    assert next(b for b in app.button if b.label == "owner/closed").disabled
    assert "terms must be accepted" in captions(app)
    app = app.selectbox(key="hub-size").set_value("≤ 1 M parameters").run()
    assert any(b.label == "owner/planes" for b in app.button)


def test_the_last_five_are_kept_for_this_visitor_and_offered(visit, hub: HubServer) -> None:
    app = fine(visit("triggers.py", model="hf:owner/shapes", state={"hub": True}))
    pinned = app.session_state["choice"].model
    app = app.run()
    assert pinned in app.selectbox(key="model").options
    again = next(b for b in app.button if b.key == f"again-{pinned}")
    assert again.label == "owner/shapes" and "Used last" in captions(app)
    app.selectbox(key="model").set_value("zoo:scenes-badnets").run()
    app = fine(next(b for b in app.button if b.key == f"again-{pinned}").click().run())
    assert app.session_state["choice"].model == pinned
    assert pinned not in visit("triggers.py").selectbox(key="model").options  # another visitor


def test_no_more_than_five(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {}
    monkeypatch.setattr(recent.st, "session_state", state)
    for name in ["zoo:scenes-clean", *(f"hf:owner/n{i}" for i in range(7)), "hf:owner/n3"]:
        recent.note("model", name)
    assert recent.of("model") == [f"hf:owner/n{i}" for i in (3, 6, 5, 4, 2)] and recent.of("data") == []


def test_an_address_is_a_name(visit, hub: HubServer) -> None:
    sha = models.load("hf:owner/shapes").card.sha
    for address in (f"{hub.url}/owner/shapes", f"https://huggingface.co/owner/shapes/tree/{sha}"):
        assert fine(visit("triggers.py", model=address)).session_state["choice"].model == f"hf:owner/shapes@{sha}"
    app = visit("regions.py", data=f"{hub.url}/datasets/a/cranes/tree/main")
    assert re.fullmatch(r"hf:a/cranes@[0-9a-f]{40}", app.session_state["choice"].data) and not app.exception
    app = visit("triggers.py", model="https://huggingface.co/datasets/a/cranes")
    assert app.error[0].value.startswith("a/cranes is a data set of the Hub, not a model: choose")


def test_a_data_set_is_found_and_chosen(visit, hub: HubServer) -> None:
    app = visit("regions.py", state={"data-box": True}, images="1")
    app = fine(app.text_input(key="data-text").set_value("cranes").run())
    assert "rows: 7 train · 2 classes · licence: mit · 0 downloads" in captions(app)
    app = take(app, "a/cranes")
    assert re.fullmatch(r"hf:a/cranes@[0-9a-f]{40}", app.session_state["choice"].data)
    assert "does not know the classes of these data" in captions(app)


def test_a_model_of_the_hub_comes_with_data_of_its_classes(visit, hub: HubServer) -> None:
    app = fine(visit("regions.py", model="hf:owner/planes"))
    assert app.session_state["choice"].data == "cifar10" and "does not know" not in captions(app)


@pytest.mark.parametrize("page", ["defend.py", "weights.py", "detect.py"])
def test_classes_that_do_not_fit_end_a_page_before_pictures_come(visit, hub: HubServer, page: str) -> None:
    app = visit(page, model="hf:owner/insects", data="cifar10")
    assert not app.exception
    (said,) = [error.value for error in app.error]
    assert "hf:owner/insects knows 3 classes (ant, …) and cifar10 has 10 (airplane, …)" in said and "search for" in said
    assert not any(request.startswith("GET") and "parquet" in request for request in hub.requests)
    fine(app.button(key="use-scenes").click().run())


@pytest.mark.parametrize("case", ["vanishes", "full disk"])
def test_what_goes_wrong_on_the_way_is_one_sentence(
    visit, hub: HubServer, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    def full(*args, **options) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if case == "vanishes":
        hub.vanishing.add("model.safetensors")
    else:
        monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    app = visit("regions.py", model="hf:owner/shapes", data="scenes")
    (said,) = [error.value for error in app.error]
    assert not app.exception and ("was taken from the Hub" if case == "vanishes" else "free some space") in said
    assert "model-recent" not in app.session_state
