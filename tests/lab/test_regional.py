"""What a regional run has beside the attack: its table of transfer, its frequencies, and what it says of them."""

from __future__ import annotations

import pytest
import torch

from core.attacks import PGD, Regional
from core.runs import finish
from lab import transfer_models
from lab.kinds.shared.regional_outcomes import elsewhere, resized
from lab.loading import classifier
from lab.recipes import Recipe
from lab.results import Result


def test_regional_examples_are_tried_on_other_models_and_looked_at_in_frequency() -> None:
    others = ["zoo:scenes-at", "zoo:cifar10-clean"]
    inputs = {"images": [0, 1, 2, 3, 4, 5], "judge": "zoo:scenes-clean", "judges": others}
    result = finish(Recipe(Regional(alpha=0.02), "zoo:scenes-badnets", inputs=inputs).run())
    assert result.notes["models"] == "zoo:scenes-badnets, zoo:scenes-clean, zoo:scenes-at"
    assert result.notes["left out"].startswith("zoo:cifar10-clean,") and result.notes["judged by"] == "zoo:scenes-clean"
    table, n = result.images["transfer"], result.images["transfer/n"].tolist()
    assert table.shape == (3, 3) and n[1] == result.counts["success"], "the judge's line counts what the run counts"
    rows = [result.figures[f"{head}success"] for head in ("", "global/", "control/")]
    assert table[:, 1].tolist() == pytest.approx(rows)
    assert result.figures["low/l2"] <= result.figures["median/l2"] <= result.figures["high/l2"]
    assert result.images["spectra"].shape == (3, 32, 32) and result.counts["fine"] == result.counts["median/l2"]
    assert result.figures["control/fine"] > 0.7 > result.figures["global/fine"] > 0
    assert result.figures["slipped/l0"] >= max(result.figures["l0"], result.figures["slip/l0"]) - 1e-6
    assert "transfer(others, images, [found.images], labels" in result.recipe.python()
    with pytest.raises(ValueError, match="PGD takes no judges; Regional does"):
        finish(Recipe(PGD(), "zoo:scenes-badnets", inputs={"images": [0], "judges": ["zoo:scenes-at"]}).run())


def test_what_is_said_of_other_models_is_the_range_over_those_that_no_attack_asked() -> None:
    result = Result(Recipe(Regional(), "zoo:scenes-badnets"))
    assert elsewhere(result) == resized(result) == ""
    table = torch.tensor([[0.9, 1.0, 0.5, 1.0, torch.nan], [0.9, 1.0, 1.0, 1.0, torch.nan], [0.0] * 5])
    result.images |= {"transfer": table, "transfer/n": torch.tensor([4, 4, 2, 30, 0])}
    result.notes |= {"models": "zoo:source, zoo:judge, zoo:a, zoo:b, zoo:wrong", "judged by": "zoo:judge"}
    assert elsewhere(result) == (
        "On 2 other models, of the pictures that each gets right, the regional examples fool 1 of 2 to 100.0 %, those "
        "of the whole picture 2 of 2 to 100.0 %, the noise 0 of 2 to 0.0 %."
    )
    result.notes["models"] = "zoo:source, zoo:judge"
    result.images |= {"transfer": table[:, :2], "transfer/n": torch.tensor([4, 4])}
    assert elsewhere(result) == ""
    result.figures |= {"resized": 0.5, "unresized": 0.75}
    result.counts |= {"resized": 4, "unresized": 4}
    assert "fool it on 2 of 4, in the source's size on 3 of 4" in resized(result)


def test_models_to_try_it_on_know_the_same_classes_and_the_visits_come_first() -> None:
    model = classifier("zoo:scenes-badnets")
    found = transfer_models.names(model, ["zoo:cifar10-clean", "zoo:scenes-wanet", "hf:nobody/has-this", "run:broken"])
    assert found[:3] == ["zoo:scenes-wanet", "zoo:scenes-clean", "zoo:scenes-at"]
    assert model.card.ref not in found and len(found) == len(set(found))
    assert all(ref.startswith("zoo:scenes") for ref in found)
