"""Runs that ship in full: what is written is read again, and the shipped ones are those that their pages begin with."""

from __future__ import annotations

import pytest
import torch

from bench.outliers import stored
from core.anomaly import ITSR
from core.runs import finish
from lab import outliers, whole_runs
from lab.recipes import Recipe

MOST = 0.4e6
"""Bytes of all of them together."""


def test_what_is_written_is_read_again(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_runs, "FOLDER", tmp_path / "runs")
    quick = ITSR(pretrain=1, rounds=1, refine=1, retrain=1, width=8)
    inputs = {"pictures": 40, "n": 10, "detectors": "none"}
    result = finish(Recipe(quick, "zoo:scenes-clean", "digits", inputs, 3).run())
    assert whole_runs.write("mine", result, "a machine").name == "mine.safetensors"
    again = whole_runs.read("mine")
    assert again is not None and again.recipe == result.recipe and again.conclusion == result.conclusion
    assert again.figures == result.figures and again.counts == result.counts and again.per_image == result.per_image
    assert again.notes == result.notes | {"hardware": "a machine"}
    assert torch.equal(again.images["ITSR/scores"], result.images["ITSR/scores"])
    made = again.images["ITSR/reconstructed"]
    assert made.dtype == torch.uint8, "pictures are kept as they are shown"
    torch.testing.assert_close(made / 255, result.images["ITSR/reconstructed"], atol=0.5 / 255 + 1e-6, rtol=0)
    assert whole_runs.read("none of this name") is None


@pytest.mark.parametrize("data", outliers.STORED)
def test_the_shipped_run_is_the_one_that_the_page_begins_with(data: str) -> None:
    kept = whole_runs.read(outliers.stored(data))
    assert kept is not None and kept.recipe == stored.recipe(data) and kept.notes["hardware"]
    setting = outliers.setting(kept.recipe, outliers.TESTED_FIRST)
    assert torch.equal(kept.images["truth"], setting.truth) and torch.equal(kept.images["kinds"], setting.kinds)
    assert {"Autoencoder", "AdversarialAutoencoder", "ITSR"} <= set(kept.notes["detectors"].split(","))
    assert len(kept.images["ITSR/history"]) == kept.recipe.method.rounds + 1  # type: ignore[attr-defined]


def test_shipped_runs_are_small() -> None:
    assert 0 < sum(file.stat().st_size for file in whole_runs.FOLDER.glob("*")) <= MOST
