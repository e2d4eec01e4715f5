"""The kind `information`: figures by repeat, its script, its table."""

from __future__ import annotations

from typing import Any

import pytest

import core.data
from bench.information import rows_of
from core.information import SharedInformation
from core.runs import finish
from lab import loading
from lab.recipes import Recipe

pytestmark = pytest.mark.usefixtures("small")
SHORT = SharedInformation(epochs=1, pictures=64, batch_size=16, width=4, latent=4, repeats=2)


def test_figures_are_means_over_the_repeats_as_the_script_prints_them(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(SHORT, tiny_model, inputs={"n": 20})
    result = finish(recipe.run())
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    names: dict[str, Any] = {}
    exec(compile(recipe.python(), "snippet", "exec"), names)
    found = names["found"]
    for name, bounds in found.shared.items():
        assert result.figures[f"{name}/shared"] == pytest.approx(sum(each.lower for each in bounds) / 2)
        assert result.counts[f"{name}/upper"] == 20 and result.images[f"layers/{name}"].shape == (2, 2, 5)
    assert result.notes["layers"].endswith("code") and result.conclusion is not None
    rows = rows_of(found)
    assert [row["learned from"] for row in rows] == ["no mixing", "MixUp", "CutMix", "FMix"]
    assert len(rows[0]["shared, lower"]) == len(rows[0]["code"]) == 2
