"""The patches of Neural Cleanse, as the Defend page shows them."""

from __future__ import annotations

import torch

from core.data import load_data
from core.defenses.repairs.neural_cleanse.mad import anomaly_index
from tests.ui.conftest import fine, until
from ui.views import inversion

NAMES = ("disc", "square", "ring")
NAMES_OF_SCENES = load_data("scenes", "test", limit=1).class_names


def made_up(norms: tuple[float, ...]) -> dict[str, torch.Tensor | float]:
    k = len(norms)
    masks = torch.zeros(k, 32, 32)
    masks[:, 0, 0] = 1
    values = torch.tensor(norms)
    return {
        "norms": values, "index": anomaly_index(values), "flagged": values == values.min(), "masks": masks,
        "patterns": torch.ones(k, 3, 32, 32), "meaningful": float(k >= 5),
    }  # fmt: skip


def test_the_smallest_patch_comes_first_and_is_called_flagged():
    shown = inversion.views(made_up((40.0, 9.0, 41.0)), NAMES)
    assert [view.caption.split("**")[1] for view in shown] == ["square ⚑ flagged", "disc", "ring"]
    assert "norm 9.0" in shown[0].caption and "flagged" not in shown[1].alt


def test_a_patch_is_the_pattern_where_the_mask_is_and_black_elsewhere():
    picture = inversion.views(made_up((1.0, 2.0, 3.0)), NAMES)[0].pixels
    side = len(picture) // 32
    assert (picture[:side, :side] == 255).all() and picture.sum() == 3 * 255 * side**2


def test_of_many_classes_only_the_smallest_are_shown():
    names = [str(c) for c in range(30)]
    shown = inversion.views(made_up(tuple(map(float, range(30, 0, -1)))), names)
    assert len(shown) == inversion.SHOWN and "**29 ⚑" in shown[0].caption


def test_the_defend_page_shows_a_patch_for_every_class(visit):
    app = fine(visit("defend.py", method="NeuralCleanse", neuralcleanse__epochs="1", neuralcleanse__steps="0"))
    app.button(key="defend-start").click().run()
    app = fine(until(app, "defend", "done"))
    assert "The smallest patch for each class" in [one.value for one in app.header]
    result = app.session_state["job-defend"].result
    smallest = NAMES_OF_SCENES[int(result.model.report["norms"].argmin())]
    came_out = next(text.value for text in app.markdown if text.value.startswith("**What came out.**"))
    assert f"The smallest mask is that of {smallest} (index " in came_out and "limit 2)" in came_out
    told = [caption for image in app.get("image") for caption in image.captions]
    assert sum("index" in caption for caption in told) == 10
