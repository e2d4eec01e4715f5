"""A re-activation: five controls over the budget, on the defended and on a clean model, and what BEC says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from core.attacks import REACTIVATIONS, ReActivation, Reactivation
from core.data import ImageSet
from core.data.modes import single_target
from core.metrics import existence, same_layers
from core.metrics.tac import PAIRS
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped
from lab import loading
from lab.inputs import BACKDOOR, N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import Backdoor, backdoor_of, clean_model, model_of, require_classes, size_of, triggered
from lab.kinds.shared.snippet_lines import single_target_line, test_images
from lab.kinds.shared.surrogates import attackers, first_link, surrogates_of
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

SHARES = (1 / 12, 1 / 4, 1 / 2, 1)
"""The budgets of the curve, as shares of the method's ε; the slow query threat has the last one only."""

SCORED = 300
"""Test images behind each bar where the recipe says no n: forty bars are scored."""

FIT = 1000
"""Training images that the perturbation is found on, at most."""

CLEAR = 0.2
"""From this share of the pictures on, a difference between two bars is called a gap."""

SHOWN = 8
"""Test images that are shown with trigger and perturbation."""


def run(recipe: Recipe) -> Run[Result]:
    """Re-activate the backdoor of a repaired model: the recipe's model is the recipe of a defense, or a model's name.

    figures : asr/<control> and ra/<control> at the method's ε, for the five controls and for clean_model/<control>;
        the same as asr/<control>@<ε·255> for each budget of the curve (the last is ε itself); "gap" and
        "clean_model/gap", reactivated minus clean_universal; "queries" and "calls" of the query threat;
        "bec", "bec/debiased", "bec/similarity" S(D, A) and "bec/clean" S(C, A) where a defense was run before
    images : "delta" (signed, C, H, W); examples original, triggered, reactivated; "budgets" (B,), ε·255 each
    per_image : "index", "label", and the answers original, triggered, reactivated, delta_only
    notes : "bec" and "controls" say what they rest on, or why they are missing
    """
    model = yield from model_of(recipe)
    backdoor = _backdoor(recipe, model)
    result, method = Result(recipe), recipe.method
    assert isinstance(method, ReActivation)
    size = size_of(model)
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", SCORED), size=size)
    require_classes(recipe, model, test)
    fit = loading.images(recipe.data, "train", limit=FIT, size=size)
    twin = _twin(result, model, test)
    surrogates: list[nn.Module] = []
    if method.threat == "transfer":
        surrogates = yield from surrogates_of(recipe)
    given = {
        "test": test, "trigger": backdoor.trigger, "target": backdoor.target, "clean_model": twin,
        "surrogates": surrogates,
        "seed": recipe.seed,
    }  # fmt: skip
    found = yield from _curve(result, method, model, fit, given)
    _pictures(result, model, test, backdoor, found)
    if (first := first_link(recipe)) is not recipe:
        backdoored = yield from model_of(first)
        yield from _existence(result, model, backdoored, twin, test, backdoor)
    return result


def _backdoor(recipe: Recipe, model: Classifier) -> Backdoor:
    backdoor = backdoor_of(recipe, model)
    if backdoor.trigger is None or not single_target(backdoor.mode):
        raise ValueError(
            "A re-activation needs a model with a backdoor that leads to one target; choose a backdoored model, or "
            "give the recipe a trigger and a target."
        )
    return backdoor


def _twin(result: Result, model: Classifier, test: ImageSet) -> Classifier | None:
    """The clean model beside which every bar stands."""
    twin = clean_model(model, test)
    if twin is None:
        result.notes["controls"] = "There is no clean model of these data to compare the bars with."
        return None
    return twin


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

    def counted(progress: Progress) -> Progress:
        nonlocal phase, stage
        if progress.stage != stage:
            phase, stage = phase + 1, progress.stage
        step = 100 * (done + phase) + 100 * progress.step // progress.total
        return dataclasses.replace(
            progress, stage="reactivate", step=max(1, step), total=100 * total,
            metrics=progress.metrics | {"budget": 255 * eps},
        )  # fmt: skip

    return mapped(run, counted)


def _write(result: Result, found: Reactivation, tail: str) -> None:
    for kind, shares in (("asr", found.asr), ("ra", found.ra)):
        for name, value in shares.items():
            result.figures[f"{kind}/{name}{tail}"] = value
            result.counts[f"{kind}/{name}{tail}"] = found.n


def _pictures(result: Result, model: Classifier, test: ImageSet, backdoor: Backdoor, found: Reactivation) -> None:
    """A few test images with the trigger, with both, and what the model says."""
    chosen = torch.nonzero(test.labels != (backdoor.target or 0))[:SHOWN, 0]
    shown, delta = test[chosen], found.delta
    stamped = triggered(shown, backdoor)
    views = {
        "original": shown.pixels, "triggered": stamped, "reactivated": (stamped + delta).clamp(0, 1),
        "delta_only": (shown.pixels + delta).clamp(0, 1),
    }  # fmt: skip
    result.per_image |= {"index": chosen.tolist(), "label": shown.labels.tolist()}
    result.per_image |= {name: predict(model, view).argmax(1).tolist() for name, view in views.items()}
    result.images |= {name: views[name] for name in ("original", "triggered", "reactivated")} | {"delta": delta}


def _existence(
    result: Result, model: Classifier, backdoored: Classifier, twin: Classifier | None, test: ImageSet,
    backdoor: Backdoor,
) -> Run[None]:  # fmt: skip
    """The backdoor existence coefficient, where a clean model of the same architecture is at hand."""
    if twin is None or not same_layers(model, backdoored, twin):
        result.notes["bec"] = "BEC needs a clean model of the same architecture, and there is none here."
        yield Progress("existence", 1, 1)
        return
    data = test[test.labels != (backdoor.target or 0)][:PAIRS]
    found = yield from existence(model, backdoored, twin, data.images, triggered(data, backdoor))
    result.figures |= {
        "bec": found.value, "bec/debiased": found.debiased, "bec/similarity": found.defended, "bec/clean": found.clean,
    }  # fmt: skip
    result.notes["bec"] = f"{found.images} triggered images, {found.channels} channels; 1 = backdoored, 0 = clean model"


def conclude(result: Result) -> Conclusion:
    """What the gap between both perturbations shows, with the trigger and without, beside the same on a clean model."""
    found, n = result.figures, result.counts["asr/reactivated"]
    told = (
        f"Trigger and perturbation together reach the target in {of_all(found['asr/reactivated'], n)}, "
        f"the trigger alone in {share(found['asr/trigger'], n)}, and a perturbation of the same size without a trigger "
        f"in {share(found['asr/clean_universal'], n)}"
    )
    if "clean_model/gap" in found:
        told += (
            f"; on a clean model that last one reaches it in {share(found['asr/clean_model/clean_universal'], n)}, and "
            f"the gap is {100 * found['clean_model/gap']:+.1f} points"
        )
    if found["gap"] > CLEAR:
        return _gap(found, told)
    if found["gap"] < -CLEAR:
        return Conclusion("below", f"{told}. The trigger hinders the perturbation: no evidence of a dormant backdoor.")
    if found["asr/clean_universal"] > 0.5:
        return Conclusion(
            "any perturbation", f"{told}. A perturbation alone succeeds too, so this is no evidence of a backdoor."
        )
    least = f"the {100 * CLEAR:.0f} points that count as evidence of a dormant backdoor"
    return Conclusion("no gap", f"{told}. The gap of {100 * found['gap']:+.1f} points is below {least}.")


def _gap(found: Mapping[str, float], told: str) -> Conclusion:
    """A clear gap: the clean model has it too, the trigger works by itself, or the backdoor was dormant."""
    if found["gap"] - found.get("clean_model/gap", 0.0) <= CLEAR:
        return Conclusion("clean model too", f"{told}. A clean model has much the same gap: no evidence of a backdoor.")
    if found["asr/trigger"] > CLEAR:
        return Conclusion("awake", f"{told}. The backdoor is not gone, and not dormant: the trigger works by itself.")
    return Conclusion("dormant", f"{told}. Only with the trigger: the backdoor was dormant, not gone.")


def lines(script: Script, recipe: Recipe) -> None:
    """Re-activate the backdoor of the model at hand, at the method's own budget, with all controls."""
    script.use("core.runs", "finish")
    data = script.data(recipe)
    given = ["test=test", "**attack", f"seed={recipe.seed}"]
    script.lines += [
        f'fit = load_data({data}, "train", limit={FIT}, {SIZE})',
        test_images(script, recipe, SCORED),
        single_target_line(script, recipe),
    ]
    if isinstance(recipe.data, str):
        script.use("models", "available", "load")
        twin = f"zoo:{recipe.data}-clean"
        script.lines.append(f'twin = load("{twin}") if "{twin}" in [card.ref for card in available()] else None')
        given.append("clean_model=twin")
    if _transfers(recipe):
        others = ", ".join(script.code(other) for other in attackers(recipe))
        script.lines += [
            f'clean = load_data({data}, "defender", {SIZE})',
            f"others = [{others}]  # the attacker's own repairs of the backdoored model",
            "surrogates = [finish(other.run(backdoored, clean), bar=True) for other in others]",
        ]
        given.append("surrogates=surrogates")
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, fit, {', '.join(given)}), bar=True)",
        "print(found.asr)",
    ]


def _transfers(recipe: Recipe) -> bool:
    return getattr(recipe.method, "threat", "") == "transfer"


KIND = Kind(
    "reactivation", REACTIVATIONS, run,
    Snippet(lines, keeps=lambda recipe: first_link(recipe) if _transfers(recipe) else None), taking(N, *BACKDOOR),
    needs_classes=True,
    scores=(
        Score(
            "asr/reactivated", "Reactivated",
            help="Attack success on the repaired model with the trigger and the perturbation.",
        ),
        Score("asr/trigger", "Trigger alone", help="Attack success on the repaired model, without any perturbation."),
        Score(
            "asr/clean_universal", "Without trigger",
            help="The control: a perturbation of the same size, found on pictures without trigger. A small network "
            "may follow one without any backdoor; only what lies above it is evidence of one.",
        ),
        Score(
            "bec", "Backdoor left (BEC)", "BEC", unit="", better="down",
            help="Backdoor existence coefficient: how similar the trigger's channels still are, 1 for the "
            "backdoored and 0 for the clean model. Values outside this range are shown as they are.",
        ),
    ),
    conclude=conclude,
    outcomes=("dormant", "awake", "clean model too", "any perturbation", "no gap", "below"),
)  # fmt: skip
