"""A re-activation: the five bars over the budget, on the defended and on a clean model, and what BEC says."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import nn

from core.attacks import ReActivation, Reactivation
from core.data import ImageSet
from core.defenses import FinePruning, FineTuning
from core.knobs import Method
from core.metrics.bec import existence, same_layers
from core.metrics.tac import PAIRS
from core.networks.predictions import predict
from core.runs import Progress, Run
from lab import loading
from lab.experiments.scoring import triggered
from lab.experiments.setting import Backdoor, backdoor, classes_fit, model_of, require_classes, size_of
from lab.recipes import Recipe
from lab.results import Result
from models import Classifier

SHARES = (1 / 12, 1 / 4, 1 / 2, 1)
"""The budgets of the curve, as shares of the method's ε; the slow query threat has the last one only."""

SCORED = 300
"""Test images behind each bar where the recipe says no n: forty bars are scored."""

FIT = 1000
"""Training images that the perturbation is found on, at most."""

SHOWN = 8
"""Test images that are shown with trigger and perturbation."""

SURROGATES = (FineTuning(), FinePruning())
"""What the attacker repairs the backdoored model with, to learn from the results (transfer only)."""


def run(recipe: Recipe) -> Run[Result]:
    """Wake the backdoor of a repaired model: the recipe's model is the recipe of a defense, or a model's name.

    figures : asr/<control> and ra/<control> at the method's ε, for the five controls and for clean_model/<control>;
        the same as asr/<control>@<ε·255> for each budget of the curve (the last is ε itself); "gap" and
        "clean_model/gap", reactivated minus clean_universal; "queries" and "calls" of the query threat;
        "bec", "bec/debiased", "bec/similarity" S(D, A) and "bec/clean" S(C, A) where a defense was run before
    images : "delta" (signed, C, H, W); examples original, triggered, reactivated; "budgets" (B,), ε·255 each
    per_image : "index", "label", and the answers original, triggered, reactivated, delta_only
    notes : "bec" and "controls" say what they rest on, or why they are missing
    """
    model = yield from model_of(recipe)
    door = _door(recipe, model)
    result, method = Result(recipe), recipe.method
    assert isinstance(method, ReActivation)
    size = size_of(model)
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", SCORED), size=size)
    require_classes(recipe, model, test)
    fit = loading.images(recipe.data, "train", limit=FIT, size=size)
    twin = _twin(result, model, test)
    surrogates: list[nn.Module] = []
    if method.threat == "transfer":
        surrogates = yield from _surrogates(recipe)
    given = {
        "test": test, "trigger": door.trigger, "target": door.target, "clean_model": twin, "surrogates": surrogates,
        "seed": recipe.seed,
    }  # fmt: skip
    found = yield from _curve(result, method, model, fit, given)
    _pictures(result, model, test, door, found)
    if (first := first_link(recipe)) is not recipe:
        backdoored = yield from model_of(first)
        yield from _existence(result, model, backdoored, twin, test, door)
    return result


def _door(recipe: Recipe, model: Classifier) -> Backdoor:
    door = backdoor(recipe, model)
    if door.trigger is None or door.mode not in ("all-to-one", "any-to-one"):
        raise ValueError(
            "A re-activation needs a model with a backdoor that leads to one target; choose a backdoored model, or "
            "give the recipe a trigger and a target."
        )
    return door


def _twin(result: Result, model: Classifier, test: ImageSet) -> Classifier | None:
    """The clean model beside which every bar stands."""
    twin = loading.clean_twin(model)
    if twin is None or not classes_fit(twin, test):
        result.notes["controls"] = "There is no clean model of these data, so a bar has nothing to be compared with."
        return None
    return twin


def first_link(recipe: Recipe) -> Recipe:
    """The first defense of the chain, whose model is the backdoored one; the recipe itself where there is none."""
    while isinstance(recipe.model, Recipe) and recipe.model.kind == "defense":
        recipe = recipe.model
    return recipe


def attackers(recipe: Recipe) -> list[Method]:
    """The defenses by which the attacker repairs the backdoored model: other ones than the defender's."""
    first = first_link(recipe).method
    return [method for method in SURROGATES if not isinstance(first, type(method))]


def _surrogates(recipe: Recipe) -> Run[list[nn.Module]]:
    """The backdoored model, as the attacker has repaired it."""
    found: list[nn.Module] = []
    for method in attackers(recipe):
        inputs = {"n": 1} | {name: value for name, value in recipe.inputs.items() if name != "n"}
        own = Recipe(method, first_link(recipe).model, recipe.data, inputs)
        found.append((yield from model_of(recipe.replace(model=own))))
    return found


def _curve(
    result: Result, method: ReActivation, model: Classifier, fit: ImageSet, given: dict[str, Any]
) -> Run[Reactivation]:
    """The attack at each budget, each from its own start; the last is the method's own."""
    phases = 3 if given["clean_model"] is None else 4 if method.threat == "transfer" else 6
    alone = method.threat == "query" or not method.eps
    budgets = [share * method.eps for share in (SHARES[-1:] if alone else SHARES)]
    found: Reactivation | None = None
    for number, eps in enumerate(budgets):
        attack = dataclasses.replace(method, eps=eps).run(model, fit, **given)
        found = yield from _counted(attack, number * phases, len(budgets) * phases, eps)
        _write(result, found, f"@{255 * eps:.4g}")
    assert found is not None
    _write(result, found, "")
    result.images["budgets"] = torch.tensor(budgets) * 255
    for head in ("", "clean_model/"):
        if f"{head}reactivated" in found.asr:
            result.figures[f"{head}gap"] = found.asr[f"{head}reactivated"] - found.asr[f"{head}clean_universal"]
    result.figures |= found.report
    return found


def _counted(run: Run[Reactivation], done: int, total: int, eps: float) -> Run[Reactivation]:
    """One budget's run, with its phases told as parts of the whole."""
    phase, stage = -1, ""
    try:
        while True:
            progress = next(run)
            if progress.stage != stage:
                phase, stage = phase + 1, progress.stage
            step = 100 * (done + phase) + 100 * progress.step // progress.total
            yield dataclasses.replace(
                progress, stage="reactivate", step=max(1, step), total=100 * total,
                metrics=progress.metrics | {"budget": 255 * eps},
            )  # fmt: skip
    except StopIteration as end:
        return end.value
    finally:
        run.close()


def _write(result: Result, found: Reactivation, tail: str) -> None:
    for kind, shares in (("asr", found.asr), ("ra", found.ra)):
        for name, share in shares.items():
            result.figures[f"{kind}/{name}{tail}"] = share
            result.counts[f"{kind}/{name}{tail}"] = found.n


def _pictures(result: Result, model: Classifier, test: ImageSet, door: Backdoor, found: Reactivation) -> None:
    """A few test images with the trigger, with both, and what the model says."""
    chosen = torch.nonzero(test.labels != (door.target or 0))[:SHOWN, 0]
    shown, delta = test[chosen], found.delta
    stamped = triggered(shown, door)
    views = {
        "original": shown.pixels, "triggered": stamped, "reactivated": (stamped + delta).clamp(0, 1),
        "delta_only": (shown.pixels + delta).clamp(0, 1),
    }  # fmt: skip
    result.per_image |= {"index": chosen.tolist(), "label": shown.labels.tolist()}
    result.per_image |= {name: predict(model, view).argmax(1).tolist() for name, view in views.items()}
    result.images |= {name: views[name] for name in ("original", "triggered", "reactivated")} | {"delta": delta}


def _existence(
    result: Result, model: Classifier, backdoored: Classifier, twin: Classifier | None, test: ImageSet, door: Backdoor
) -> Run[None]:
    """The backdoor existence coefficient, where a clean model of the same architecture is at hand."""
    if twin is None or not same_layers(model, backdoored, twin):
        result.notes["bec"] = "BEC needs a clean model of the same architecture, and there is none here."
        yield Progress("existence", 1, 1)
        return
    data = test[test.labels != (door.target or 0)][:PAIRS]
    found = yield from existence(model, backdoored, twin, data.images, triggered(data, door))
    result.figures |= {
        "bec": found.value, "bec/debiased": found.debiased, "bec/similarity": found.defended, "bec/clean": found.clean,
    }  # fmt: skip
    result.notes["bec"] = f"{found.images} triggered images, {found.channels} channels; 1 = backdoored, 0 = clean model"
