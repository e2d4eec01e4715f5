"""A heatmap: what in each picture speaks for a class."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch

from core.explain import EXPLAINERS
from core.networks.predictions import predict
from core.runs import Progress, Run
from lab.inputs import IMAGES, TARGET, N, taking
from lab.kinds.kind import Conclusion, Kind
from lab.kinds.shared.pictures import FEW, pictures
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import model_of, require_target
from lab.kinds.shared.snippet_lines import batch as batch_lines
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Explain the recipe's pictures for the input "target", or for what the model says.

    images : original, and map (N, H, W), raw and signed; per_image : index, label, before (the model's answer)
    """
    model = yield from model_of(recipe)
    batch = pictures(recipe, model)
    method: Any = recipe.method
    answers = predict(model, batch.data.pixels).argmax(1)
    target = recipe.inputs.get("target")
    if target is not None:
        require_target(target, model)
    targets = answers if target is None else torch.full_like(answers, target)
    private = copy.deepcopy(model)  # an explainer may hook its model; the shared one must stay as it is
    if hasattr(method, "run"):
        maps = yield from method.run(private, batch.data.pixels, targets, seed=recipe.seed)
    else:
        maps = method(private, batch.data.pixels, targets)
        yield Progress("explain", 1, 1)
    result = Result(recipe, images={"original": batch.data.pixels, "map": maps.detach()})
    result.per_image = {"index": batch.index, "label": batch.labels.tolist(), "before": answers.tolist()}
    return result


def conclude(result: Result) -> Conclusion:
    """Mapped, or flat where a map is constant."""
    maps = result.images["map"]
    flat = int((maps.flatten(1).amax(1) == maps.flatten(1).amin(1)).sum())
    if flat:
        return Conclusion("flat", f"{flat} of {len(maps)} heatmaps are constant and point to nothing.")
    return Conclusion("mapped", f"None of the {len(maps)} heatmaps is constant.")


def lines(script: Script, recipe: Recipe) -> None:
    """The raw maps of the batch."""
    batch_lines(script, recipe, FEW)
    target = recipe.inputs.get("target")
    script.lines += [
        "targets = model(images).argmax(1)" + ("" if target is None else f".fill_({target})"),
        f"maps = {_call(script, recipe)}",
        "print(maps.shape)",
    ]


def _call(script: Script, recipe: Recipe) -> str:
    method = script.code(recipe.method)
    if not hasattr(recipe.method, "run"):
        return f"{method}(model, images, targets)"
    script.use("core.runs", "finish")
    return f"finish({method}.run(model, images, targets, seed={recipe.seed}), bar=True)"


KIND = Kind(
    "explainer", EXPLAINERS, run, Snippet(lines), taking(IMAGES, N, TARGET), scores=(),
    conclude=conclude, outcomes=("mapped", "flat"),
)  # fmt: skip
