"""ITSR beside the adversarial autoencoder on digits: the sentence for every way it can come out, and the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.outliers import digits
from lab import tables


@pytest.mark.parametrize(
    ("share", "bacc", "said"),
    [
        (0.0, [0.01, -0.01, 0.0], "On clean training pictures ITSR's balanced accuracy less AAE's is +0.0 ± 1.0 points "
         "(AUROC +0.100 ± 0.000): neither gain nor loss beyond the spread over 3 seeds."),
        (0.0, [-0.1, -0.11, -0.12], "is -11.0 ± 1.0 points (AUROC +0.100 ± 0.000): a loss beyond the spread"),
        (0.05, [0.1, 0.11, 0.12], "With 5 % outliers among the training pictures ITSR's balanced accuracy less AAE's "
         "is +11.0 ± 1.0 points (AUROC +0.100 ± 0.000): a gain beyond the spread"),
    ],
)  # fmt: skip
def test_the_sentence_follows_the_differences(share: float, bacc: list[float], said: str) -> None:
    assert said in digits.told(share, bacc, [0.1, 0.1, 0.1])


def test_the_table_of_some_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TABLES", tmp_path)

    def cell(seed: int, aae: float, itsr: float) -> dict[str, Any]:
        known = {"ceiling": 0.9, "auroc": 0.8, "tnr": 0.7}
        about = {"share": 0.0, "seed": seed, "n_train": 108, "outliers": 0, "n": 119, "hardware": "a machine"}
        return about | {"AdversarialAutoencoder": known | {"bacc": aae}, "ITSR": known | {"bacc": itsr}}

    found = json.loads(digits.publish([cell(1, 0.6, 0.7), cell(0, 0.5, 0.8)]).read_text())
    assert found["rows"][0]["BAcc"] == [0.5, 0.6] and found["rows"][1]["BAcc"] == [0.8, 0.7], "by seed"
    assert found["rows"][2]["BAcc"] is None and found["rows"][2]["outliers"] == "missing"
    assert "7 of 9 cells are missing" in found["n"] and found["seeds"] == [0, 1]
    assert "+20.0 ± 14.1 points" in found["note"] and "a gain beyond the spread" in found["note"]
