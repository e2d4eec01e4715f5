"""Classes of a model and of data: known from names, before weights or pictures come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from core.data.about import _about
from core.defenses import CLP
from core.runs import finish
from lab import fit
from lab.recipes import Recipe
from models.peek import plan_of
from tests.core.data.test_hub import CIFAR, write
from tests.models.conftest import tiny
from tests.support.hubs import NOWHERE, local_hub, point_at
from tests.support.local_hub import HubServer

AIRPLANES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    """Models of 3 classes and of CIFAR-10's ten; data of ten classes with names, and of 41 without."""
    root = tmp_path / "hub"
    models.save(tiny(), root / "models" / "owner" / "insects", perturb={})
    models.save(models.create("preact_resnet18", AIRPLANES, width=4).eval(), root / "models/owner/planes", perturb={})
    write(root, CIFAR, "plain_text/test-00000-of-00001.parquet", [0, 1, 9], names=list(AIRPLANES))
    write(root, "a/unnamed", "test.parquet", [0, 40])
    _about.cache_clear()
    with local_hub(root, tmp_path / "home") as hub:
        yield hub
    _about.cache_clear()


def asked_for(server: HubServer, part: str) -> list[str]:
    return [request for request in server.requests if request.startswith("GET") and part in request]


def test_a_misfit_says_both_sides_and_what_to_do(server: HubServer) -> None:
    said = fit.misfit("hf:owner/planes", "scenes")
    assert "hf:owner/planes knows 10 classes (airplane, …) and scenes has 10 (" in said
    assert "choose data that fit, such as cifar10, or take a model for these data, such as zoo:scenes-clean." in said
    said = fit.misfit("hf:owner/insects@main", "cifar10")
    assert "hf:owner/insects knows 3 classes (ant, …) and cifar10 has 10 (airplane, …)" in said
    assert "search for data with the model's classes under Data" in said and "zoo:cifar10-clean" in said
    assert "has 41: search" in fit.misfit("hf:owner/insects", "hf:a/unnamed")
    assert asked_for(server, "safetensors") == []


def test_what_fits_or_is_unknown_says_nothing(server: HubServer) -> None:
    assert fit.misfit("hf:owner/planes", "cifar10") == fit.misfit("zoo:cifar10-clean", "cifar10") == ""
    assert fit.misfit("arch:preact_resnet18?width=4", "cifar10") == fit.misfit("hf:owner/nothing", "cifar10") == ""
    assert fit.misfit("hf:owner/planes", "hf:a/nothing") == fit.misfit("hf:owner/planes", "tiny-imagenet") == ""


def test_a_run_fails_before_weights_or_pictures_come(server: HubServer) -> None:
    with pytest.raises(ValueError, match=r"knows 3 classes .* and hf:a/unnamed has 41"):
        finish(Recipe(CLP(), "hf:owner/insects", "hf:a/unnamed").run())
    assert asked_for(server, "safetensors") == []
    assert len(asked_for(server, "parquet")) == 1  # its footer


def test_the_data_of_a_model_are_found_by_its_classes(server: HubServer) -> None:
    assert fit.data_for("hf:owner/planes") == "cifar10" and fit.data_for("zoo:gtsrb-clean") == "gtsrb"
    assert fit.data_for("hf:owner/insects") == fit.data_for("hf:owner/nothing") == ""


def test_without_a_network_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, NOWHERE, tmp_path)
    assert fit.misfit("zoo:scenes-clean", "hf:a/unnamed") == "" and fit.data_for("hf:owner/planes") == ""
    assert "knows 10 classes" in fit.misfit("zoo:scenes-clean", "cifar10")  # by the shipped models


def test_a_plan_needs_no_weights(server: HubServer, tmp_path: Path) -> None:
    assert plan_of("hf:owner/insects").class_names == ("ant", "bee", "cat")
    assert plan_of(str(tmp_path / "hub/models/owner/planes")).class_names == AIRPLANES
    for ref in ("hf:nothing", "hf:owner/nothing", str(tmp_path), "zoo:nothing"):
        with pytest.raises(models.ModelError):
            plan_of(ref)


def test_ten_against_a_thousand_by_name_and_number() -> None:
    thousand = tuple(f"thing {i}" for i in range(1000))
    assert not fit.names_fit(AIRPLANES, thousand) and not fit.names_fit(thousand, AIRPLANES)
    assert fit.names_fit(thousand, thousand[:991]) and fit.names_fit(AIRPLANES, tuple(f"class {i}" for i in range(10)))
