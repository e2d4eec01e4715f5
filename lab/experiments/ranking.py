"""Channels ranked by the oracle, beside what a defense says of them."""

from __future__ import annotations

from typing import Any

from core.defenses import ANP, CLP, RNP, TSBD
from core.knobs import Method
from core.metrics.rankings import REPORTED, overlap, suspicion
from core.metrics.tac import TAC, pairs
from core.runs import Run
from lab.experiments.setting import backdoor, model_of, test_images
from lab.recipes import Recipe
from lab.results import Result

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Shares of the channels for which the overlap stands among the figures."""

PICTURES = 300
"""Test pictures that a ranking is made with, at most: beyond this the top channels stay the same."""

MAKERS: dict[str, Method] = {
    "nwc": TSBD(steps=0, selection="fixed"),  # its ranking is known before anything is fine-tuned
    "anp": ANP(),
    "uclc": CLP(),
    "rnp": RNP(),
}
"""The repair behind each of `REPORTED`."""


def ranked(kind: str, model: str, data: Any, n: int = PICTURES, *, form: str = "l2", seed: int = 0) -> Recipe:
    """The run that compares one ranking of a model's channels with the oracle's."""
    inputs = {"n": min(n, PICTURES)}
    return Recipe(TAC(form), Recipe(MAKERS[kind], model, data, inputs, seed), data, inputs, seed)


def run(recipe: Recipe) -> Run[Result]:
    """Rank the channels of the recipe's model; of the result of a defense, those of the model it was given.

    figures : "overlap/<kind>/<share>", the share of the oracle's top channels that the defense's ranking has in its
        own top; the counts hold how many channels that are
    images : scores by layer, "tac/<layer>" and "<kind>/<layer>" (larger is more suspicious), (channels,)
    """
    last = recipe.model if isinstance(recipe.model, Recipe) else recipe
    repaired = yield from model_of(recipe)
    model = yield from model_of(last)
    door, result = backdoor(recipe, model), Result(recipe)
    if door.trigger is None:
        raise ValueError(
            f"{model.card.ref} has no backdoor, so no channel answers to a trigger; choose a backdoored model."
        )
    test = test_images(recipe, model)
    images, stamped = pairs(test, **door.arguments)
    method: Any = recipe.method
    tac = yield from method.run(model, images, stamped, seed=recipe.seed)
    tac = {name: value.float().cpu() for name, value in tac.items()}
    result.images |= {f"tac/{name}": value for name, value in tac.items()}
    result.counts["pairs"] = len(images)
    for kind in REPORTED:
        scores = suspicion(getattr(repaired, "report", {}), kind)
        if not scores:
            continue
        result.images |= {f"{kind}/{name}": value for name, value in scores.items()}
        channels = sum(len(scores[name]) for name in tac if name in scores)
        for share, value in zip(SHARES, overlap(scores, tac, SHARES), strict=True):
            result.figures[f"overlap/{kind}/{share:g}"] = value
            result.counts[f"overlap/{kind}/{share:g}"] = max(1, round(share * channels))
    result.notes["oracle"] = f"TAC, form {method.form}: it uses the trigger, which no defense may"
    return result
