"""An inversion in a result: the class of the smallest mask, and the target that only the scoring side knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.data.modes import ALL_TO_ALL
from core.defenses import NeuralCleanse
from core.triggers import BadNets
from lab.kinds.shared import inversion
from lab.kinds.shared.setting import Backdoor
from lab.recipes import Recipe
from lab.results import Result

MODEL: Any = SimpleNamespace(class_names=tuple("abcdefgh"))


def report(smallest: int, flagged: tuple[int, ...] = ()) -> dict[str, Any]:
    norms = torch.full((8,), 40.0)
    norms[smallest] = 9.0
    marks = torch.zeros(8, dtype=torch.bool)
    marks[list(flagged)] = True
    return {"norms": norms, "index": torch.arange(8.0), "flagged": marks}


def told(found: dict[str, Any], backdoor: Backdoor) -> Result:
    result = Result(Recipe(NeuralCleanse(), "zoo:scenes-badnets"))
    inversion.write(result, MODEL, found, backdoor)
    return result


def test_the_right_class_that_is_not_flagged_is_said_to_be_right() -> None:
    result = told(report(2), Backdoor(BadNets(), 2))
    assert result.notes["inversion"] == "c" and inversion.nothing_flagged(result)
    assert result.figures["inversion/index"] == 2.0 and result.figures["inversion/right"] == 1.0
    assert "c (index 2.00, limit 2), which is the backdoor's target: the right class" in inversion.sentence(result)


def test_a_flagged_class_that_is_not_the_target_is_said_to_be_wrong() -> None:
    sentence = inversion.sentence(told(report(3, (3, 4)), Backdoor(BadNets(), 2)))
    assert sentence.endswith("not the backdoor's target; 2 of 8 classes flagged, but not the target.")


@pytest.mark.parametrize("backdoor", [Backdoor(), Backdoor(BadNets(), None, ALL_TO_ALL), Backdoor(None, 0)])
def test_without_one_target_nothing_is_said_of_it(backdoor: Backdoor) -> None:
    assert "target" not in inversion.sentence(told(report(2), backdoor))


def test_a_repair_that_inverts_nothing_says_nothing() -> None:
    result = told({"validation/before": 0.9}, Backdoor(BadNets(), 2))
    assert not result.figures and not result.notes and not inversion.sentence(result)
    assert not inversion.nothing_flagged(result)
