"""The recipes of the mixing study and of the bias test."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench.recipes import __main__ as files
from bench.recipes import bias, mixing
from core.training import ExplanationConsistency, Standard
from lab.recipes import Recipe


def test_mixed_networks_differ_in_the_mixer_and_the_pictures_alone() -> None:
    found = mixing.recipes()
    assert len(found) == 8 and {"cifar10-unmixed", "cifar10-cutmix-10k"} <= set(found)
    for part, (pictures, epochs) in mixing.PASSES.items():
        same = [recipe.method for name, recipe in found.items() if name.endswith("-10k") == bool(part)]
        assert {(method.pictures, method.epochs) for method in same} == {(pictures, epochs)}
        assert len({dataclasses.replace(method, mix=None) for method in same}) == 1
        assert len({method.mix for method in same}) == 4
    steps = [epochs * (pictures // 512) for pictures, epochs in mixing.PASSES.values()]
    assert max(steps) < 1.05 * min(steps)


def test_biased_networks_differ_in_the_weights_alone() -> None:
    found = bias.recipes()
    assert {"scenes-biased", "scenes-biased-consistency", "scenes-biased-byloss", "scenes-biased-bagnet"} <= set(found)
    assert {recipe.data for recipe in found.values()} == {bias.DATA}
    weighted = [recipe.method for recipe in found.values() if isinstance(recipe.method, ExplanationConsistency)]
    assert len({dataclasses.replace(method, weights="1") for method in weighted}) == 1
    plain = found["scenes-biased"].method
    shared = {field.name for field in dataclasses.fields(Standard)} & {
        field.name for field in dataclasses.fields(ExplanationConsistency)
    }
    assert all(getattr(plain, name) == getattr(weighted[0], name) for name in shared)


def test_they_are_written_as_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["recipes", "mixing", str(tmp_path / "new"), "--seeds", "2"])
    files.main()
    written = {file.stem: Recipe.from_dict(json.loads(file.read_text())) for file in (tmp_path / "new").glob("*.json")}
    assert written == files.seeded(mixing.recipes(), 2) and len(written) == 16
    assert written["cifar10-fmix-seed1"] == written["cifar10-fmix"].replace(seed=1)
    monkeypatch.setattr("sys.argv", ["recipes", "bias", str(tmp_path / "one"), "--only", "scenes-biased"])
    files.main()
    assert len(list((tmp_path / "one").glob("*.json"))) == 3
