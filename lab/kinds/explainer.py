"""A heatmap: what in each picture speaks for a class; alone, or beside that of another method or another model."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.explain import EXPLAINERS
from core.explain.heatmaps import slow
from core.metrics.correlation import rank_correlations
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped
from lab import loading, methods
from lab.inputs import IMAGES, TARGET, N, taking
from lab.inputs import method as method_input
from lab.inputs import model as model_input
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.pictures import FEW, pictures
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import model_of, require_target, size_of
from lab.kinds.shared.snippet_lines import batch as batch_lines
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

ALIKE, UNLIKE = 0.7, 0.3
"""Mean rank correlations from which on, and below which, two heatmaps are called so."""


def run(recipe: Recipe) -> Run[Result]:
    """Explain the recipe's pictures for the input "target", or for what the model says.

    With the input "second", a second method, or "other", a second model, the same pictures and classes once more.

    images : original, and map (N, H, W), raw and signed; beside/map
    per_image : index, label, target (the class explained), before (the model's answer), beside (the other model's)
    figures : agreement, the mean rank correlation of both maps, over the pictures where neither is constant
    """
    model = yield from model_of(recipe)
    batch = pictures(recipe, model)
    images, answers = batch.data.pixels, predict(model, batch.data.pixels).argmax(1)
    target = recipe.inputs.get("target")
    if target is not None:
        require_target(target, model)
    targets = answers if target is None else torch.full_like(answers, target)
    result = Result(recipe, images={"original": images})
    result.per_image = {
        "index": batch.index, "label": batch.labels.tolist(), "target": targets.tolist(), "before": answers.tolist(),
    }  # fmt: skip
    result.images["map"] = yield from explained(recipe.method, model, images, targets, recipe.seed)
    if "second" in recipe.inputs or "other" in recipe.inputs:
        other = second_model(recipe, model)
        result.per_image["beside"] = predict(other, images).argmax(1).tolist()
        method = methods.from_dict(recipe.inputs["second"]) if "second" in recipe.inputs else recipe.method
        run = explained(method, other, images, targets, recipe.seed)
        result.images["beside/map"] = yield from mapped(run, _of_second)
        agreement = rank_correlations(result.images["map"], result.images["beside/map"])
        known = agreement[~agreement.isnan()]
        if len(known):
            result.figures["agreement"], result.counts["agreement"] = float(known.mean()), len(known)
    return result


def explained(method: Any, model: Classifier, images: Tensor, targets: Tensor, seed: int) -> Run[Tensor]:
    """Raw maps (N, H, W), from a copy: an explainer may hook its model, and the shared one must stay as it is."""
    return (yield from slow.explained(method, copy.deepcopy(model), images, targets, seed))


def second_model(recipe: Recipe, model: Classifier) -> Classifier:
    """The model of the input "other", or the first one; ValueError unless both take the same pictures and classes."""
    if "other" not in recipe.inputs:
        return model
    other = loading.classifier(recipe.inputs["other"])
    if other.class_names != model.class_names or size_of(other) != size_of(model):
        raise ValueError(
            f"{other.card.ref} takes other pictures or knows other classes than {model.card.ref}, so their heatmaps "
            "cannot stand beside each other; choose a model of the same data."
        )
    return other


def _of_second(now: Progress) -> Progress:
    return Progress("beside", now.step, now.total, images={f"beside/{name}": map for name, map in now.images.items()})


def conclude(result: Result) -> Conclusion:
    """Mapped, or flat where a map is constant; and how far two maps agree."""
    maps = torch.cat([value for name, value in result.images.items() if name.endswith("map")])
    flat = int((maps.flatten(1).amax(1) == maps.flatten(1).amin(1)).sum())
    told = f" {beside(result).text}" if "beside/map" in result.images else ""
    if flat:
        return Conclusion("flat", f"{flat} of {len(maps)} heatmaps are constant and point to nothing.{told}")
    many = f"None of the {len(maps)} heatmaps is constant." if len(maps) > 1 else "The heatmap is not constant."
    return Conclusion("mapped", f"{many}{told}")


def beside(result: Result) -> Conclusion:
    """How far two heatmaps of the same pictures agree."""
    if "agreement" not in result.figures:
        return Conclusion("unknown", "There are no two heatmaps of one picture whose agreement could be told.")
    value, n = result.figures["agreement"], result.counts["agreement"]
    told = f"The rank correlation of the two heatmaps is {value:.2f}" + (f", the mean of {n} pictures" if n > 1 else "")
    if value >= ALIKE:
        return Conclusion("alike", f"{told}: they say much the same.")
    if value >= UNLIKE:
        return Conclusion("in part", f"{told}: they agree in part.")
    return Conclusion("unlike", f"{told}: they say different things.")


def lines(script: Script, recipe: Recipe) -> None:
    """The raw maps of the batch, and the second ones."""
    batch_lines(script, recipe, FEW)
    target, inputs = recipe.inputs.get("target"), recipe.inputs
    script.lines += [
        "targets = model(images).argmax(1)" + ("" if target is None else f".fill_({target})"),
        f"maps = {_call(script, recipe.method, 'model', recipe.seed)}",
        "print(maps.shape)",
    ]
    if "second" in inputs or "other" in inputs:
        method = methods.from_dict(inputs["second"]) if "second" in inputs else recipe.method
        script.lines.append(f"other = {script.load(inputs['other']) if 'other' in inputs else 'model'}")
        script.use("core.metrics.correlation", "rank_correlations")
        script.lines.append(f"second = {_call(script, method, 'other', recipe.seed)}")
        script.lines.append("print(rank_correlations(maps, second))")


def _call(script: Script, method: Any, model: str, seed: int) -> str:
    if not hasattr(method, "run"):
        return f"{script.code(method)}({model}, images, targets)"
    script.use("core.runs", "finish")
    return f"finish({script.code(method)}.run({model}, images, targets, seed={seed}), bar=True)"


KIND = Kind(
    "explainer", EXPLAINERS, run, Snippet(lines),
    taking(IMAGES, N, TARGET, method_input("second", EXPLAINERS, "heatmap method"), model_input("other")),
    scores=(
        Score(
            "agreement", "Agreement", unit="",
            help="Spearman's rank correlation of the two heatmaps, the mean over the pictures: 1 where they order all "
            "pixels alike, 0 where one says nothing about the other.",
        ),
    ),
    conclude=conclude, outcomes=("mapped", "flat"),
    questions={"beside": Question(beside, ("alike", "in part", "unlike", "unknown"))},
)  # fmt: skip
