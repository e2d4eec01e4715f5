"""Channels ranked by the oracle and by a defense: figures by hand, the snippet's agreement, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

import core.data
from core.defenses import TSBD, FineTuning
from core.metrics.rankings import overlap
from core.metrics.tac import TAC
from core.runs import finish
from lab import loading
from lab.recipes import Recipe

FORGET = TSBD(steps=0, selection="fixed", unlearn_steps=3, batch_size=8)


@pytest.mark.usefixtures("small")
def test_the_ranking_of_a_repair_stands_beside_the_oracle_of_the_model_it_was_given(tiny_model: str) -> None:
    inner = Recipe(FORGET, tiny_model, inputs={"n": 30})
    alone = finish(Recipe(TAC(), tiny_model, inputs={"n": 30}).run())
    result = finish(Recipe(TAC(), inner, inputs={"n": 30}).run())
    tac, nwc = ({name[4:]: value for name, value in result.images.items() if name.startswith(kind)}
                for kind in ("tac/", "nwc/"))  # fmt: skip
    assert tac.keys() == nwc.keys() and "net.conv1" in tac
    assert all(torch.equal(value, alone.images[f"tac/{name}"]) for name, value in tac.items())
    assert not any(name.startswith("overlap") for name in alone.figures)
    report = finish(inner.run()).model.report  # type: ignore[union-attr,operator]
    assert all(torch.equal(value, report[f"nwc/{name}"]) for name, value in nwc.items())
    assert result.figures["overlap/nwc/0.1"] == overlap(nwc, tac, [0.1])[0]
    channels = sum(len(value) for value in tac.values())
    assert result.counts["overlap/nwc/0.1"] == round(0.1 * channels) and 0 < result.counts["pairs"] <= 30
    assert "uses the trigger" in result.notes["oracle"]
    assert Recipe.from_query(result.recipe.to_query()) == result.recipe


@pytest.mark.usefixtures("small")
def test_a_defense_that_says_nothing_of_channels_gives_no_overlap(tiny_model: str) -> None:
    inner = Recipe(FineTuning(steps=1, batch_size=8), tiny_model, inputs={"n": 20})
    result = finish(Recipe(TAC("l1"), inner, inputs={"n": 20}).run())
    assert not result.figures and all(name.startswith("tac/") for name in result.images)


@pytest.mark.usefixtures("small")
def test_a_model_without_a_backdoor_is_refused(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = loading.classifier(tiny_model)
    monkeypatch.setattr(model, "trigger", None)
    with pytest.raises(ValueError, match="no backdoor"):
        finish(Recipe(TAC(), tiny_model, inputs={"n": 20}).run())


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("chain", [False, True])
def test_the_snippet_gives_the_recipes_ranking(tiny_model: str, chain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = Recipe(FORGET, tiny_model, inputs={"n": 30}) if chain else tiny_model
    recipe = Recipe(TAC(), model, inputs={"n": 30})
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    names: dict[str, Any] = {}
    exec(compile(recipe.python(), "snippet", "exec"), names)
    result = finish(recipe.run())
    assert all(torch.allclose(value, result.images[f"tac/{name}"]) for name, value in names["tac"].items())
    assert set(names["found"]["nwc"]) == (set(names["tac"]) if chain else set())
    assert dataclasses.is_dataclass(names["method"])
