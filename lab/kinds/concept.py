"""A concept's direction at a layer: whether it is recalled, and which classes respond to it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.data import ImageSet
from core.explain import CONCEPTS, ConceptVector
from core.explain.concepts.probe import Probe
from core.metrics import wilson
from core.networks.predictions import predict
from core.runs import Run, mapped
from lab import concepts, loading, methods
from lab.inputs import Input, N, method, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import classes_fit, method_of, model_of, size_of
from lab.kinds.shared.words import of_all, percent
from lab.results import Result
from lab.settings import settings
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

SHOWN = 8
"""Pictures at each end of the vector."""
LEVEL = 0.05
"""Of significance, and the false positive rate at which recalls are compared."""
ALIKE = 0.02
"""Recalls that differ by less are called alike."""


def run(recipe: Recipe) -> Run[Result]:
    """Look for the recipe's concept with its method, and with that of the input "alongside" on the same activations.

    figures : recall_at_5, recall, fpr, auroc (means over the random sets), spread (standard deviation of recall),
        score/<class> and p/<class>, by the class's name; of the second method the same with beside/…
    images : of the K classes that have pictures, in the order of the figures: "scores" (R, K), "controls" (B, K), "p",
        "t_test" (K,); "recalls" (R, 3): recall, false positive rate, recall at 5 %; "roc" (2, P); of the second method
        beside/scores, …; "difference" (d,); "nearest" and "farthest" (8, C, H, W)
    per_image : nearest, farthest: whether each holds the concept
    notes : concept, layer, labels (whose classes count)
    """
    shared = yield from model_of(recipe)
    model = copy.deepcopy(shared)  # it is hooked, and the shared one must stay as it is
    data, own = _pictures(recipe, model)
    text, main = recipe.inputs.get("concept", concepts.FIRST), method_of(recipe)
    concept = concepts.find(text, data, size_of(model))
    probe = yield from Probe.of(
        model, data, concept, layer=recipe.inputs.get("layer"), pool=main.pool, most=main.examples, seed=recipe.seed
    )
    found: ConceptVector = yield from main.found(probe, seed=recipe.seed)
    result = Result(recipe)
    _write(result, found, model.class_names)
    if "alongside" in recipe.inputs:
        other: Any = methods.from_dict(recipe.inputs["alongside"])
        second = yield from mapped(other.found(probe, seed=recipe.seed), _beside)
        _write(result, second, model.class_names, "beside/")
    result.images |= {
        "difference": found.difference, "nearest": found.tested[:SHOWN], "farthest": found.tested[-SHOWN:].flip(0)
    }  # fmt: skip
    result.per_image = {"nearest": found.holds[:SHOWN].tolist(), "farthest": found.holds[-SHOWN:].flip(0).tolist()}
    result.notes |= {"concept": text, "layer": found.layer, "pool": "mean" if found.pool else "all positions"}
    if own:
        result.notes["labels"] = "the model's own answers, since it does not know the classes of the data"
    return result


def _pictures(recipe: Recipe, model: Classifier) -> tuple[ImageSet, bool]:
    """The first n test pictures, labelled by the model itself where it does not know their classes."""
    data = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", settings.control_n), size=size_of(model))
    if classes_fit(model, data):
        return data, False
    return dataclasses.replace(data, labels=predict(model, data.images).argmax(1)), True


def _beside(progress: Any) -> Any:
    return dataclasses.replace(progress, metrics={f"beside/{name}": x for name, x in progress.metrics.items()})


def _write(result: Result, found: ConceptVector, names: Sequence[str], head: str = "") -> None:
    recalls, seen = found.recalls, torch.nonzero(found.counts)[:, 0]
    figures = {
        "recall_at_5": found.recall_at_5, "recall": found.recall, "fpr": found.false_positive_rate,
        "spread": found.spread, "spread_at_5": recalls.recall_at_5.std().item(), "auroc": recalls.auroc.mean().item(),
    }  # fmt: skip
    for name, value in figures.items():
        result.figures[head + name] = value
        result.counts[head + name] = found.negatives if name == "fpr" else found.positives
    for k in seen.tolist():
        result.figures |= {f"{head}score/{names[k]}": found.score[k].item(), f"{head}p/{names[k]}": found.p[k].item()}
        result.counts[f"{head}score/{names[k]}"] = int(found.counts[k])
    tables: dict[str, Tensor] = {
        "scores": found.scores[:, seen], "controls": found.control_scores.mean(1)[:, seen],
        "p": found.p[seen], "t_test": found.t_test[seen],
        "recalls": torch.stack([recalls.recall, recalls.false_positive_rate, recalls.recall_at_5], 1),
        "roc": torch.stack([found.roc.fpr, found.roc.tpr]),
    }  # fmt: skip
    result.images |= {head + name: table for name, table in tables.items()}


def conclude(result: Result) -> Conclusion:
    """Whether the concept is recalled at 5 % false positives: by half or more, by more than chance, or not."""
    value, n = result.figures["recall_at_5"], result.counts["recall_at_5"]
    sets, layer = len(result.images["recalls"]), result.notes["layer"].removeprefix("net.")
    what = concepts.words(result.notes["concept"])
    told = (
        f"At {layer}, *{what}* is recalled in {of_all(value, n)} that were not learned from, at 5 % false positives "
        f"(mean of {sets} random sets, standard deviation {100 * result.figures['spread_at_5']:.1f} points)"
    )
    if wilson(value, n)[0] <= LEVEL:
        return Conclusion(
            "chance", f"{told}: with so many pictures that may be chance, which is 5 %, so the scores of the classes "
            "along this vector say nothing about the concept.",
        )  # fmt: skip
    return Conclusion("known" if value >= 0.5 else "in part", f"{told}; chance would be 5 %.")


def responds(result: Result) -> Conclusion:
    """How many classes score along the vector as no random concept makes them."""
    p = {name.removeprefix("p/"): x for name, x in result.figures.items() if name.startswith("p/")}
    controls = len(result.images["controls"])
    if controls < 1 / LEVEL - 1:
        return Conclusion("too few", f"{controls} random concepts are too few for p ≤ 0.05: it takes 19 or more.")
    names = [f"{name} (score {result.figures[f'score/{name}']:.2f})" for name, each in p.items() if each <= LEVEL]
    told = (
        f"{len(names)} of {len(p)} classes have p ≤ 0.05 against {controls} random concepts; about "
        f"{LEVEL * len(p):.1f} would by chance alone"
    )
    if not names:
        return Conclusion("none", f"{told}.")
    listed = f"{told}: {', '.join(names[:6])}{', …' if len(names) > 6 else ''}."
    return Conclusion("one" if len(names) == 1 else "several", listed)


def beside(result: Result) -> Conclusion:
    """Whether the second method recalls more at 5 % false positives, and how much steadier it is."""
    found = result.figures
    if "beside/recall_at_5" not in found:
        return Conclusion("alone", "No second method was run.")
    first, second = type(result.recipe.method).__name__, result.recipe.inputs["alongside"]["method"]
    more = found["beside/recall_at_5"] - found["recall_at_5"]
    told = (
        f"At 5 % false positives {second} recalls {percent(found['beside/recall_at_5'])} and {first} "
        f"{percent(found['recall_at_5'])} of {result.counts['recall_at_5']} pictures. At their own thresholds they "
        f"recall {percent(found['beside/recall'])} with {percent(found['beside/fpr'])} false positives, and "
        f"{percent(found['recall'])} with {percent(found['fpr'])}; the standard deviation of that recall over the "
        f"random sets is {100 * found['beside/spread']:.1f} and {100 * found['spread']:.1f} points."
    )
    return Conclusion("alike" if abs(more) <= ALIKE else "more" if more > 0 else "less", told)


def lines(script: Script, recipe: Recipe) -> None:
    """The concept vector, its recall and the scores."""
    script.use("core.runs", "finish")
    n = recipe.inputs.get("n", settings.control_n)
    script.lines.append(f'data = load_data({script.data(recipe)}, "test", limit={n}, {SIZE})')
    _concept_lines(script, recipe.inputs.get("concept", concepts.FIRST))
    if not str(recipe.model).startswith("zoo:"):
        script.use("dataclasses", "replace")
        script.use("core.networks.predictions", "predict")
        script.lines += [
            "if len(data.class_names) != len(model.class_names):  # it does not know these: its own answers count",
            "    data = replace(data, labels=predict(model, data.images).argmax(1))",
        ]
    asked = f", layer={script.code(recipe.inputs['layer'])}" if "layer" in recipe.inputs else ""
    second = [methods.from_dict(recipe.inputs["alongside"])] if "alongside" in recipe.inputs else []
    for each in (recipe.method, *second):
        script.lines += [
            f"found = finish({script.code(each)}.run(model, data, concept{asked}, seed={recipe.seed}), bar=True)",
            "print(found.recall_at_5, found.recall, found.false_positive_rate, found.score)",
        ]


def _concept_lines(script: Script, text: str) -> None:
    """The concept as `run` takes it."""
    if text.startswith(("upload:", concepts.FOLDER)):
        script.use("core.data.folder", "folder")
        path = text.removeprefix(concepts.FOLDER)
        if text.startswith("upload:"):
            script.lines.append("# The uploaded pictures are not in this script: put your own folder in their place.")
            path = "pictures"
        script.lines.append(f"concept = folder({script.code(path)}, model.input_size[-1])")
        return
    name, _, word = text.rpartition("#") if "#" in text else text.partition("=")
    if "#" in text:
        script.lines += [
            f'other = load_data({script.code(name)}, "train", limit={concepts.ELSEWHERE}, {SIZE})',
            f"concept = other[other.named({script.code(word)})]",
        ]
    elif name == concepts.CLASS:
        script.lines.append(f"concept = data.named({script.code(word)})")
    else:
        script.use("core.data.scenes", "CAUSES")
        key = script.code(name)
        script.lines.append(f"concept = data.concepts[{key}] == CAUSES[{key}].index({script.code(word)})")


def _layer(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        raise ValueError(f"layer = {value!r} must be the name of a layer, such as layer3.")
    return value


LAYER = Input("layer", _layer)
"""The layer that is looked at."""

KIND = Kind(
    "concept", CONCEPTS, run, Snippet(lines),
    taking(concepts.CONCEPT, LAYER, N, method("alongside", CONCEPTS, "concept method")),
    scores=(
        Score(
            "recall_at_5", "Recall at 5 % FPR", better="up", live=True,
            help="Share of held-out pictures with the concept that are recalled where 5 % of those without it are, "
            "too; the mean over the random sets. Chance is 5 %.",
        ),
        Score(
            "recall", "Recall", live=True,
            help="The same at the vector's own threshold. It says nothing without the false positives beside it.",
        ),
        Score(
            "fpr", "False positives", live=True, n="n_without",
            help="FPR: share of held-out pictures without the concept that lie beyond the vector's own threshold.",
        ),
        Score("spread", "Spread of recall", unit="", better="down",
              help="Standard deviation, over the random sets, of the recall at the vector's own threshold."),
        Score("beside/recall_at_5", "Recall at 5 % FPR, second", better="up", live=True, n="beside/n",
              help="The same of the second method, on the same pictures."),
        Score("beside/recall", "Recall, second", live=True, n="beside/n", help="At its own threshold."),
        Score("beside/fpr", "False positives, second", live=True, n="beside/n_without", help="At its own threshold."),
        Score("beside/spread", "Spread of recall, second", unit="", better="down",
              help="Standard deviation of the second method's recall over the random sets."),
    ),
    conclude=conclude, outcomes=("known", "in part", "chance"),
    questions={
        "responds": Question(responds, ("none", "one", "several", "too few")),
        "beside": Question(beside, ("more", "alike", "less", "alone")),
    },
)  # fmt: skip
