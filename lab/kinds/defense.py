"""A repair: scores before, the run with its scores as it goes, scores after, and the controls."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import nn

from core.data import ImageSet
from core.defenses import DEFENSES
from core.metrics import der, rir
from core.runs import Run
from lab import loading
from lab.inputs import BACKDOOR, N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared import scoring
from lab.kinds.shared.changes import examples, report
from lab.kinds.shared.scoring import confusions, live_score, scored, watched, write
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import Backdoor, backdoor_of, model_of, size_of, test_images
from lab.kinds.shared.snippet_lines import backdoor_line, changed
from lab.kinds.shared.words import moved, percent
from lab.results import Result
from lab.settings import settings

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Repair the recipe's model.

    figures : before/…, after/… and clean_model/… (acc, asr, ra), der, rir, and the method's own numbers as report/…
    images : confusion/before, confusion/after, and the same with /triggered; original and triggered examples
    per_image : "index", "label" and the predictions "before", "after", "before/triggered", "after/triggered"
    """
    model = yield from model_of(recipe)
    result, backdoor = Result(recipe), backdoor_of(recipe, model)
    test = test_images(recipe, model)
    clean = loading.images(recipe.data, "defender", seed=0, size=size_of(model))
    before = yield from scored("before", model, test, backdoor)
    write(result, "before", before)
    score = live_score(test, backdoor)
    method: Any = recipe.method
    extra = {}
    if getattr(method, "selection", "") == "oracle":
        extra["oracle"] = lambda now: score(now).get("asr", 0.0)
    repaired = yield from watched(method.run(model, clean, seed=recipe.seed, **extra), score)
    result.model = repaired.eval().requires_grad_(False)
    after = yield from scored("after", repaired, test, backdoor)
    write(result, "after", after)
    if before.asr is not None:
        result.figures |= {"der": der(before, after), "rir": rir(before, after)}
    yield from _controls(result, model, test, backdoor)
    yield from _tables(result, model, test, backdoor)
    examples(result, model, test, backdoor)
    report(result, method, repaired)
    return result


def _controls(result: Result, model: Any, test: ImageSet, backdoor: Backdoor) -> Run[None]:
    """The trigger on the clean model: the ASR that it has without a backdoor."""
    twin = loading.clean_twin(model) if backdoor.trigger is not None else None
    if twin is None or len(twin.class_names) != len(test.class_names):
        result.notes["controls"] = "There is no clean model of these data to try the trigger on."
        return
    write(result, "clean_model", (yield from scored("control", twin, test, backdoor)))


def _tables(result: Result, model: nn.Module, test: ImageSet, backdoor: Backdoor) -> Run[None]:
    assert result.model is not None
    for moment, net in (("before", model), ("after", result.model)):
        tables = yield from confusions("tables", net, test, backdoor)
        for name, table in tables.items():
            result.images[f"confusion/{moment}" + ("" if name == "clean" else "/triggered")] = table


def conclude(result: Result) -> Conclusion:
    """Repaired, broken, weakened, survived, or nothing to repair: from ASR, RA and ACC before and after."""
    figures, name = result.figures, type(result.recipe.method).__name__
    accuracy = moved("accuracy", figures["before/acc"], figures["after/acc"])
    if "after/asr" not in figures:
        return Conclusion("no trigger", f"This model has no known trigger, so only accuracy is scored: {accuracy}.")
    before, after, right = figures["before/asr"], figures["after/asr"], figures["after/ra"]
    attack = f"{moved('attack success', before, after)}, and {percent(right)} of the triggered pictures are right"
    floor = figures.get("clean_model/asr")
    beside = "" if floor is None else f" On a clean model the trigger succeeds in {percent(floor)} of the cases."
    if before < 0.1:
        return Conclusion("no backdoor", f"There was no working backdoor to repair: {attack}; {accuracy}.{beside}")
    if after >= 0.75 * before:
        return Conclusion("survived", f"The trigger survived {name}: {attack}; {accuracy}.{beside}")
    if figures["before/acc"] - figures["after/acc"] > 0.15 or (after < 0.1 and right < 0.5):
        return Conclusion("broken", f"{name} broke the model rather than repaired it: {attack}; {accuracy}.{beside}")
    if after < 0.1:
        return Conclusion("repaired", f"{name} repaired the model: {attack}; {accuracy}.{beside}")
    return Conclusion("weakened", f"{name} weakened the trigger without removing it: {attack}; {accuracy}.{beside}")


def lines(script: Script, recipe: Recipe) -> None:
    """Repair, and scores before and after."""
    oracle = getattr(recipe.method, "selection", "") == "oracle"
    peek = f"lambda now: evaluate(now, test[:{settings.live_n}], **attack).asr" if oracle else ""
    changed(script, recipe, backdoor_line(script, recipe), "model, clean", peek)


_compared = partial(scoring.compared, moment="after", against="before", name="model as it was")

KIND = Kind(
    "defense", DEFENSES, run, Snippet(lines), taking(N, *BACKDOOR),
    scores=(
        _compared(scoring.ACC),
        dataclasses.replace(_compared(scoring.ASR), better="down"),
        _compared(scoring.RA),
        Score(
            "der", "Effectiveness", "DER", unit="", better="up",
            help="DER, defense effectiveness rating: 1 for a perfect attack gone at no cost, 0.5 for no change.",
        ),
    ),
    conclude=conclude, leaves_model=True,
)  # fmt: skip
