"""The records of shipped trainings: read by the model's name, missing ones are None, broken ones one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from models import shelf
from models.record import FILE, record_of
from tests.models.conftest import tiny

RECORDED = sorted(folder.parent.name for folder in shelf.ZOO.glob(f"*/{FILE}"))


@pytest.mark.parametrize("name", RECORDED)
def test_a_shipped_record_goes_to_the_last_epoch_of_its_recipe(name: str) -> None:
    record, card = record_of(f"zoo:{name}"), models.shipped(f"zoo:{name}")
    assert record is not None and card is not None
    epochs = list(record.epochs["epoch"])
    assert {len(column) for column in record.epochs.values()} == {len(epochs)}
    assert epochs == sorted(set(epochs)) and epochs[-1] == card.recipe["method"]["epochs"] >= 20 <= 5 * len(epochs)
    assert {"train/robust", "heldout/robust", "train/acc", "heldout/acc"} <= set(record.epochs)
    assert record.scores["test"] == card.scores["test"] and record.hardware and record.seconds > 0
    robust = record.epochs["heldout/robust"]
    assert robust[record.best] == max(robust) and max(robust[: record.best], default=-1) < max(robust)


def test_the_robust_family_ships_with_its_records() -> None:
    assert {"cifar10-at-awp", "cifar10-trades", "cifar10-mart", "cifar10-mart-awp"} <= set(RECORDED)


def test_no_record_and_no_model_are_none() -> None:
    assert record_of("zoo:scenes-clean") is record_of("zoo:no-model") is record_of("hf:owner/name") is None


@pytest.mark.parametrize("text", ["{", "[]", '{"epochs": {}}'])
def test_a_broken_record_is_one_sentence(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "ZOO", tmp_path)
    models.save(tiny(), tmp_path / "scenes-test", perturb={"data": "scenes"})
    (tmp_path / "scenes-test" / FILE).write_text(text)
    with pytest.raises(models.ModelError, match="zoo:scenes-test is not a record") as refusal:
        record_of("zoo:scenes-test")
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")
