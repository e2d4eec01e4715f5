"""The recipes of the mixing study."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench import mixing
from lab.recipes import Recipe


def test_networks_differ_in_the_mixer_the_pictures_and_the_seed_alone() -> None:
    found = mixing.recipes(2)
    assert len(found) == 16 and {"cifar10-unmixed", "cifar10-fmix-seed1", "cifar10-cutmix-10k"} <= set(found)
    for part, (pictures, epochs) in mixing.PASSES.items():
        same = [recipe for name, recipe in found.items() if name.removesuffix("-seed1").endswith("-10k") == bool(part)]
        methods = {dataclasses.replace(recipe.method, mix=None) for recipe in same}
        assert len(methods) == 1 and (methods.pop().pictures, epochs) == (pictures, same[0].method.epochs)
        assert len({(recipe.method.mix, recipe.seed) for recipe in same}) == 8
    steps = {epochs * (pictures // 512) for pictures, epochs in mixing.PASSES.values()}
    assert max(steps) < 1.05 * min(steps)


def test_they_are_written_as_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["mixing", str(tmp_path / "new"), "--seeds", "1"])
    mixing.main()
    files = sorted((tmp_path / "new").glob("*.json"))
    assert len(files) == 8
    written = {file.stem: Recipe.from_dict(json.loads(file.read_text())) for file in files}
    assert written == mixing.recipes(1)
