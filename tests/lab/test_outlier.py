"""The kind `outlier`: figures are the methods' own, where pictures come from, and bad input in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.anomaly import ITSR, Autoencoder
from core.metrics import bacc
from core.runs import finish
from lab import outliers, uploads
from lab.recipes import Recipe

QUICK: dict[str, Any] = dict(pretrain=2, rounds=2, refine=1, retrain=2, width=16)
PLAIN = Autoencoder(epochs=2, width=16)


def recipe(method: Any = PLAIN, data: str = "digits", **inputs: Any) -> Recipe:
    return Recipe(method, "zoo:scenes-clean", data, {"pictures": 60, "n": 30, "detectors": "none"} | inputs)


def test_the_figures_are_those_of_the_method() -> None:
    asked = recipe(ITSR(**QUICK))
    result = finish(asked.run())
    setting = outliers.setting(asked, 30)
    model = finish(ITSR(**QUICK).run(setting.train, seed=0))
    seen = setting.kinds < 2
    scores = model.score(setting.test.images)
    assert result.figures["bacc"] == bacc(scores[seen], setting.kinds[seen] == 1)
    assert torch.equal(result.images["ITSR/scores"], scores)
    assert result.images["ITSR/history"].shape == (3, len(setting.train)) and result.conclusion is not None
    assert result.images["ITSR/errors"].shape[1] == 3 and len(result.per_image["moved"]) == len(result.images["moved"])
    assert [point for point in result.curve if "ratio" in point]


def test_outliers_are_a_class_a_trigger_or_a_visitors_own() -> None:
    digits = outliers.setting(recipe(), 30)
    assert len(digits.train) == 63 and int(digits.truth.sum()) == 3 and digits.train.images.shape[1:] == (1, 8, 8)
    assert digits.kinds.bincount().tolist() == [30, 30, 30]
    stamped = outliers.setting(recipe(data="scenes", normal="all", outlier="trigger=BadNets"), 30)
    corner = stamped.train.images[:, :, -3:, -3:].flatten(1).eq(255).all(1)
    assert torch.equal(corner, stamped.truth)
    texture = outliers.setting(recipe(data="scenes", normal="texture=plain", outlier="texture=dots"), 30)
    assert int(texture.truth.sum()) == 3 and texture.train.images.shape[1:] == (3, 16, 16)
    names = [uploads.keep(torch.full((3, 9, 9), 20 * i, dtype=torch.uint8)) for i in range(6)]
    mine = outliers.setting(recipe(outlier=",".join(names)), 30)
    assert int(mine.truth.sum()) == 3 and int((mine.kinds == 1).sum()) == 3


def test_no_contamination_is_a_run_as_well() -> None:
    result = finish(recipe(contamination=0.0).run())
    assert result.figures["outliers"] == 0 and "Autoencoder/train" not in result.figures
    assert result.conclusion is not None and "no outlier among the training" in result.conclusion.text
    assert result.recipe.kind.questions["learned"].conclude(result).outcome == "no outliers"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"contamination": 0.5}, "the outliers would be the rule"),
        ({"contamination": -0.1}, "from 0 to below 0.5"),
        ({"normal": "six"}, "must be all, or such as"),
        ({"outlier": "trigger=SSBA"}, "names no trigger of BadNets, Blended"),
        ({"outlier": "x#y"}, "must be such as class=4"),
        ({"detectors": "Magic"}, "must be names of"),
    ],
)
def test_bad_inputs_are_one_sentence(inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recipe(**inputs)


def test_a_trigger_needs_training_pictures_that_are_left_over() -> None:
    whole = {"normal": "all", "outlier": "trigger=BadNets", "pictures": 10_000}
    with pytest.raises(ValueError, match=r"there are 0; choose a smaller contamination, or fewer pictures"):
        outliers.setting(recipe(**whole), 30)
    clean = outliers.setting(recipe(**whole, contamination=0.0), 30)
    assert not clean.truth.any() and int((clean.kinds == 1).sum()) == 30


def test_too_few_outliers_or_none_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="no outliers to test on"):
        outliers.setting(recipe(outlier="class=6"), 30)
