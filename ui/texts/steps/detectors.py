"""Detectors step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ui.texts.steps.numbers import method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def _first(result: Result, triggered: bool) -> int | None:
    """The first suspect of a kind: the one whose picture is shown."""
    truth = result.per_image.get("truth", [])
    return next((i for i, each in enumerate(truth) if each == triggered), None)


def strip(result: Result, place: Place | None) -> list[Step]:
    """The entropy of the two pictures shown, a few of its terms, and the threshold."""
    steps, method = [], method_of(result)
    blends = result.images.get("blends/entropy")
    for row, (triggered, word) in enumerate(((False, "clean"), (True, "triggered"))):
        i = _first(result, triggered)
        if i is None or "score" not in result.per_image:
            continue
        terms = [] if blends is None else [tex(float(value)) for value in blends[row]]
        steps.append(Step(
            f"The {word} suspect that is shown: entropy under the first {len(terms)} of {method.overlays} overlays, "
            "and the mean over all.",
            rf"H = \tfrac{{1}}{{{method.overlays}}} ({' + '.join(terms)} + \dots) = "
            rf"{tex(abs(result.per_image['score'][i]))} \text{{ nats}}",
        ))  # fmt: skip
    if "threshold" in result.images:
        steps.append(Step(
            f"Below this entropy a suspect is flagged: {100 * method.fpr:g} % of the defender's own clean pictures "
            "lie below it.", rf"H < {tex(-float(result.images['threshold']))}",
        ))  # fmt: skip
    return steps


def clustering(result: Result, place: Place | None) -> list[Step]:
    """The most suspicious picture: how much nearer it lies to the smaller cluster, times its class's silhouette."""
    scores, labels = result.per_image.get("score"), result.per_image.get("label")
    if not scores or "by_class" not in result.images or labels is None:
        return []
    i = max(range(len(scores)), key=lambda k: scores[k])
    silhouette = float(result.images["by_class"][labels[i]])
    inside = sum(1 for k, label in enumerate(labels) if label == labels[i] and scores[k] > 0)
    size = sum(1 for label in labels if label == labels[i])
    ratio = scores[i] / max(silhouette, 1e-6)
    return [
        Step(f"Class {labels[i]}, cut in two: the smaller cluster, of all its pictures.",
             rf"\frac{{{inside}}}{{{size}}}"),
        Step("Its most suspicious picture: by how much it is nearer to the smaller cluster's centre.",
             rf"\frac{{b - a}}{{\max(a, b)}} = {tex(ratio)}"),
        Step("Times how clearly the class falls apart (its silhouette), so that classes can be compared.",
             rf"{tex(ratio)} \cdot {tex(silhouette)} = {tex(scores[i])}"),
    ]  # fmt: skip


def spectral(result: Result, place: Place | None) -> list[Step]:
    """The picture with the highest score, and how many of its class are removed."""
    scores, labels, method = result.per_image.get("score"), result.per_image.get("label"), method_of(result)
    if not scores or labels is None:
        return []
    i = max(range(len(scores)), key=lambda k: scores[k])
    size = sum(1 for label in labels if label == labels[i])
    share = method.factor * method.eps
    return [
        Step(f"The highest score, in class {labels[i]}: how far the picture lies out along v, squared.",
             rf"s = ({tex(math.sqrt(scores[i]))})^2 = {tex(scores[i])}"),
        Step("Of that class so many are removed, those with the highest scores.",
             rf"{tex(method.factor)} \cdot \varepsilon \cdot {size} = {tex(share)} \cdot {size} = "
             rf"{min(size, int(share * size + 1e-9))}"),
    ]  # fmt: skip
