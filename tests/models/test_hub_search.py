"""Searching the Hub: what a hit says, which ones are offered, and why another cannot be loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import models
from models import ModelError
from tests.models.conftest import NAMES
from tests.support.hubs import NOWHERE, point_at
from tests.support.local_hub import HubServer

HEAD = "---\ntags:\n- timm\n- image-classification\n---\n"


@pytest.fixture
def others(root: Path, repo: Path) -> dict[str, Path]:
    """Four more repositories, each of which has a reason why it cannot be loaded."""
    made = {name: root / "models" / "owner" / name for name in ("gated", "pickled", "foreign", "other-task")}
    for folder in made.values():
        shutil.copytree(repo, folder)
    (made["gated"] / ".gated").touch()
    (made["pickled"] / "model.safetensors").unlink()
    config = json.loads((repo / "config.json").read_text())
    (made["foreign"] / "config.json").write_text(json.dumps(config | {"architecture": "net_of_nobody"}))
    (made["other-task"] / "README.md").write_text(HEAD.replace("image-classification", "feature-extraction"))
    return made


def test_a_hit_says_what_the_model_is(server: HubServer, repo: Path) -> None:
    (repo / ".downloads").write_text("1234")
    (found,) = models.search_hub("own")
    model = models.load(found.ref)
    assert found.ref == f"hf:owner/tiny@{model.card.sha}" and len(model.card.sha) == 40
    assert (found.downloads, found.licence, found.problem) == (1234, "mit", "")
    assert (found.classes, found.class_names, found.input_size) == (3, NAMES, (3, 32, 32))
    counted = sum(tensor.numel() for tensor in model.net.state_dict().values())
    assert found.parameters == counted and models.search_hub("nobody") == []


def test_the_list_costs_one_request_and_a_hit_none_when_it_is_shown_again(server: HubServer) -> None:
    models.search_hub("own")
    server.requests.clear()
    models.search_hub("own")
    assert set(server.requests) == {"GET /api/models"}


def test_only_what_can_be_loaded_is_offered_unless_all_is_asked_for(
    server: HubServer, others: dict[str, Path]
) -> None:
    assert [hit.ref.split("@")[0] for hit in models.search_hub("own")] == ["hf:owner/foreign", "hf:owner/tiny"]
    problems = {hit.ref.split("@")[0][9:]: hit.problem for hit in models.search_hub("own", timm_only=False)}
    assert set(problems) == {"tiny", "gated", "pickled", "foreign"} and problems["tiny"] == ""
    assert "terms must be accepted" in problems["gated"] and "No model.safetensors" in problems["pickled"]
    assert "net_of_nobody" in problems["foreign"]


def test_hits_are_sorted_by_downloads_and_limited_by_size(server: HubServer, root: Path, repo: Path) -> None:
    shutil.copytree(repo, root / "models" / "owner" / "popular")
    (root / "models" / "owner" / "popular" / ".downloads").write_text("7")
    names = [hit.ref.split("@")[0] for hit in models.search_hub("own")]
    assert names == ["hf:owner/popular", "hf:owner/tiny"] and len(models.search_hub("own", limit=1)) == 1
    assert len(models.search_hub("own", most_parameters=10**6)) == 2
    assert models.search_hub("own", most_parameters=1000) == []


def test_weights_that_are_too_large_say_so(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.hub_search.MAX_BYTES", 1000)
    (hit,) = models.search_hub("own")
    assert "more than 0 GB" in hit.problem


def test_without_a_network_the_search_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, NOWHERE, tmp_path)
    with pytest.raises(ModelError, match="nothing to search: connect, or choose a model that ships"):
        models.search_hub("tiny")
