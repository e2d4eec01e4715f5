"""The kind `universal`: its figures are those of the change that it holds, on this network and on others; bad input."""

from __future__ import annotations

import pytest
import torch

from core.attacks import Fooled, Patch, Universal
from core.attacks.shared.universal_delta import added
from core.networks.predictions import predict
from core.runs import finish
from lab import loading, robust_zoo
from lab.recipes import Recipe

SHORT = [
    Universal(passes=1, pictures=40, batch_size=20, xi=0.06), Patch(steps=3, pictures=40, batch_size=16),
]  # fmt: skip


@pytest.mark.parametrize("method", SHORT, ids=lambda method: type(method).__name__)
def test_figures_are_those_of_the_change(method, monkeypatch) -> None:
    monkeypatch.setattr(robust_zoo, "MOST", 1)
    recipe = Recipe(method, "zoo:scenes-clean", inputs={"n": 30, "target": 5})
    result = finish(recipe.run())
    test, change = loading.images("scenes", "test", limit=30), result.images["change"]
    for ref, at in (("zoo:scenes-clean", "fooling"), ("zoo:scenes-at", "others/fooling")):
        net = loading.classifier(ref)
        on = method.paste(change, seed=0) if isinstance(method, Patch) else lambda images: added(images, change)
        before, after = (predict(net, images).argmax(1) for images in (test.pixels, on(test.pixels)))
        found = Fooled(before, after, 5)
        n = result.counts["fooling"] if at == "fooling" else result.images["others"][0, 2]
        assert result.figures[at] == pytest.approx(found.share) and n == found.n
    assert result.notes["class"] == "ring" and result.notes["models"] == "zoo:scenes-at"
    assert result.images["answers"].sum(1).tolist() == [30, 30]
    assert torch.equal(result.images["changed"], on(test.pixels[:6]))
    assert ("sides" in result.images) == isinstance(method, Patch)
    assert result.conclusion is not None and any("fooling" in point for point in result.curve)


def test_without_a_target_the_class_that_gains_most_is_named() -> None:
    method = Universal(passes=2, pictures=60, batch_size=20, xi=0.1)
    result = finish(Recipe(method, "zoo:scenes-clean", inputs={"n": 40}).run())
    before, after = result.images["answers"]
    gains = after - before
    assert result.conclusion is not None and int(gains.max()) > 0
    name = loading.classifier("zoo:scenes-clean").class_names[int(gains.argmax())]
    assert f"leads to {name}" in result.conclusion.text


def test_a_target_that_is_no_class_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="not a class"):
        finish(Recipe(SHORT[0], "zoo:scenes-clean", inputs={"target": 10}).run())
