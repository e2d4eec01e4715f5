"""The kind `budget`: every registered attack on the picture, the curves of several networks, and bad input."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.attacks import ATTACKS, PGD, RobustCurve
from core.runs import finish
from lab import loading, robust_zoo
from lab.attack_variants import ELSEWHERE, SOME, chosen, variants
from lab.recipes import Recipe

SHORT: dict[str, Any] = dict(levels=2, steps=2)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick attacks beside it, as what is tested is not what they find."""
    quick = {name: each for name, each in variants(8 / 255, (32, 32)).items() if "Auto" not in name}
    monkeypatch.setattr("lab.kinds.budget.chosen", lambda eps, size, which: dict(list(quick.items())[:3]))
    monkeypatch.setattr(robust_zoo, "MOST", 1)


def test_the_attacks_follow_the_registry() -> None:
    found = variants(8 / 255, (32, 32))
    assert {type(each) for each in found.values()} == {cls for cls in ATTACKS if cls not in ELSEWHERE}
    assert found["PGD L∞"] == PGD(eps=8 / 255, alpha=2 / 255)
    assert chosen(8 / 255, (32, 32), "all") == found
    assert chosen(8 / 255, (32, 32), "some") == {name: found[name] for name in SOME}
    with pytest.raises(ValueError, match="must be some or all"):
        Recipe(RobustCurve(), "zoo:scenes-clean", inputs={"attacks": "PGD"})
    l2: Any = found["PGD L2"]
    assert l2.norm == "l2" and l2.eps == pytest.approx(0.502, abs=1e-3) and l2.alpha == l2.eps / 4


def test_pictures_paths_curves_and_their_counts() -> None:
    recipe = Recipe(RobustCurve(**SHORT), "zoo:scenes-clean", inputs={"images": [9], "n": 12})
    result = finish(recipe.run())
    names = result.notes["attacks"].split(", ")
    assert names == ["FGSM", "PGD L∞", "PGD L2", "random noise"]
    rows, original = result.images["attacks"], result.images["original"][0]
    for name, row in zip(names, rows, strict=True):
        change = result.images[f"adversarial/{name}"] - original.cpu()
        assert row[3] == pytest.approx(change.norm().item(), rel=1e-4)
        assert row[4] == pytest.approx(change.abs().max().item(), rel=1e-4) and row[4] <= l_of(name) + 1e-6
    path = result.images["path/FGSM"]
    assert len(path) == 2 and path[0] < path[1], "at the picture, and after the step"
    assert len(result.images["path/PGD L∞"]) >= rows[1][5] + 1
    assert result.figures["fooled"] == pytest.approx(rows[:-1, 0].mean().item()) and result.counts["fooled"] == 3
    assert result.notes["models"] == "zoo:scenes-clean, zoo:scenes-at"
    for ref in result.notes["models"].split(", "):
        data = loading.images("scenes", "test", limit=12)
        alone = finish(RobustCurve(**SHORT).run(loading.classifier(ref), data, seed=0))
        assert torch.equal(alone.robust, result.images[f"right/{ref}"])
    assert result.figures["survives"] == result.images["right/zoo:scenes-clean"][-1]
    assert result.figures["others/survives"] == result.images["right/zoo:scenes-at"][-1]
    assert result.counts["survives"] == 12 and result.conclusion is not None
    seen = [point["budget"] for point in result.curve if point.get("net") == 0]
    assert seen == pytest.approx(result.images["budgets"].tolist())


def l_of(name: str) -> float:
    return 1.0 if name == "PGD L2" else 8 / 255


@pytest.mark.parametrize(("inputs", "said"), [({"target": 99}, "not a class"), ({"target": None}, "own class")])
def test_a_target_that_cannot_be_reached_is_one_sentence(inputs: dict[str, Any], said: str) -> None:
    label = int(loading.images("scenes", "test", limit=10).labels[9])
    given = {"images": [9], "n": 5, "target": inputs["target"] or label}
    with pytest.raises(ValueError, match=said):
        finish(Recipe(RobustCurve(**SHORT), "zoo:scenes-clean", inputs=given).run())


def test_a_target_is_what_the_attacks_lead_to() -> None:
    label = int(loading.images("scenes", "test", limit=10).labels[9])
    given = {"images": [9], "n": 5, "target": (label + 1) % 10}
    result = finish(Recipe(RobustCurve(**SHORT), "zoo:scenes-clean", inputs=given).run())
    won = result.images["attacks"][:, 0].bool()
    assert torch.equal(won, result.images["attacks"][:, 1] == (label + 1) % 10)
