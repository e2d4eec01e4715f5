"""A repair: scores before, the run with its scores as it goes, scores after, and the controls."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import nn

from core.data import ImageSet
from core.defenses import DEFENSES
from core.metrics import der, evaluate, rir
from core.networks.report import report_of
from core.runs import Run
from lab import loading
from lab.inputs import BACKDOOR, MOMENTS, N, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared import cost, inversion, no_backdoor, scoring
from lab.kinds.shared.changes import examples, report
from lab.kinds.shared.scoring import confusions, live_set, scored, watched, write
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import Backdoor, backdoor_of, model_of, size_of, test_images
from lab.kinds.shared.snippet_lines import backdoor_line, changed
from lab.kinds.shared.words import moved, percent, share
from lab.results import Result
from lab.settings import settings

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Repair the recipe's model.

    figures : before/…, after/… and clean_model/… (acc, asr, ra), der, rir, the method's own numbers as report/…, and
        of one that inverts triggers inversion/…, see `shared.inversion`
    images : confusion/before, confusion/after, and the same with /triggered; original and triggered examples
    per_image : "index", "label" and the predictions "before", "after", "before/triggered", "after/triggered"
    """
    model = yield from model_of(recipe)
    result, backdoor = Result(recipe), backdoor_of(recipe, model)
    no_backdoor.note(result, model)
    test = test_images(recipe, model)
    defender = loading.images(recipe.data, "defender", seed=0, size=size_of(model))
    before = yield from scored("before", model, test, backdoor)
    write(result, "before", before)
    method: Any = recipe.method
    extra = {}
    if getattr(method, "selection", "") == "oracle":
        few = live_set(test)
        extra["oracle"] = lambda now: evaluate(now, few, **backdoor.arguments).asr or 0.0
    repaired = yield from watched(method.run(model, defender, seed=recipe.seed, **extra), test, backdoor, model)
    result.model = repaired.eval().requires_grad_(False)
    told: Any = repaired  # a copy of the model, card included
    told.card = dataclasses.replace(model.card, done=f"{model.card.done} Then {type(method).__name__} was run on it.")
    after = yield from scored("after", repaired, test, backdoor)
    write(result, "after", after)
    if before.asr is not None:
        result.figures |= {"der": der(before, after), "rir": rir(before, after)}
    yield from _controls(result, model, test, backdoor)
    yield from _tables(result, model, test, backdoor)
    examples(result, model, test, backdoor)
    report(result, method, repaired)
    inversion.write(result, model, report_of(repaired), backdoor)
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
    outcome, head = _verdict(result)
    rest = filter(None, (inversion.sentence(result), _rate(result)))
    return Conclusion(outcome, " ".join([f"{_gave_up(result) or head}: {_scores(result)}.", *rest]))


def _verdict(result: Result) -> tuple[str, str]:
    """The outcome, and what it means in a few words."""
    figures, name = result.figures, type(result.recipe.method).__name__
    known = result.notes.get(no_backdoor.NOTE, "" if "after/asr" in figures else "has no known trigger")
    if known:
        outcome = "no backdoor" if "after/asr" in figures else "no trigger"
        return outcome, f"This model {known}, so what {name} costs in accuracy is what this run shows"
    before, after, right = figures["before/asr"], figures["after/asr"], figures["after/ra"]
    if before < GONE:
        return "no backdoor", "There was no working backdoor to repair"
    if inversion.nothing_flagged(result):
        told = f"{name} flagged no class and left the model as it was, which does not show that there is no backdoor"
        return "nothing flagged", told
    if figures["before/acc"] - figures["after/acc"] > 0.15 or (after < GONE and right < 0.5):
        return "broken", f"{name} broke the model rather than repaired it"
    if after < GONE:
        return "repaired", f"{name} repaired the model"
    if after >= MOST * before:
        return "survived", f"The trigger survived {name}"
    return "weakened", f"{name} weakened the trigger without removing it"


GONE, MOST = 0.1, 0.75
"""An attack success below the first counts as none; a trigger that keeps the second share of its success survived."""


def _gave_up(result: Result) -> str:
    """That no setting kept the accuracy that the repair had to keep, where that is so."""
    floor, after = (result.figures.get(f"report/validation/{name}") for name in ("floor", "after"))
    if floor is None or after is None or after >= floor:
        return ""
    return (
        f"{type(result.recipe.method).__name__} gave up: no setting that it tried kept {percent(floor)} of the clean "
        f"validation pictures right, and the best it had keeps {percent(after)}"
    )


def _scores(result: Result) -> str:
    """The scores before and after in words, both over the same test images."""
    figures, counts = result.figures, result.counts
    accuracy = cost.accuracy(result)
    if "after/asr" not in figures:
        return accuracy
    right = share(figures["after/ra"], counts.get("after/ra"))
    return f"{_attack(result)}; {accuracy}; {right} of the triggered pictures are right"


def _attack(result: Result) -> str:
    figures, n = result.figures, result.counts.get("after/asr")
    told = moved("attack success", figures["before/asr"], figures["after/asr"], n)
    floor = figures.get("clean_model/asr")
    return told + ("" if floor is None else f" (on a clean model {share(floor, n)})")


def _rate(result: Result) -> str:
    """The learning rate that the repair ended up with, where it is below the one that it was given."""
    used, given = result.figures.get("report/lr"), getattr(result.recipe.method, "lr", 0.0)
    return f"It lowered its learning rate from {given:g} to {used:.2g}." if used is not None and used < given else ""


def attack(result: Result) -> Conclusion:
    """Where the attack success went."""
    figures = result.figures
    if "after/asr" not in figures:
        return Conclusion("no trigger", "This model has no known trigger, so no attack success is measured.")
    before, after, told = figures["before/asr"], figures["after/asr"], _attack(result)
    told = f"{told[0].upper()}{told[1:]}."
    if before < GONE:
        return Conclusion("low before", f"There was no attack to remove. {told}")
    return Conclusion("falls" if after < GONE else "stays" if after >= MOST * before else "in part", told)


def lines(script: Script, recipe: Recipe) -> None:
    """Repair, and scores before and after."""
    oracle = getattr(recipe.method, "selection", "") == "oracle"
    peek = f"lambda now: evaluate(now, test[:{settings.live_n}], **attack).asr" if oracle else ""
    changed(script, recipe, backdoor_line(script, recipe), "model, clean", peek)


_compared = partial(scoring.compared, moment="after", against="before", name="model as it was")

KIND = Kind(
    "defense", DEFENSES, run, Snippet(lines), taking(N, *BACKDOOR, MOMENTS),
    needs_classes=True,
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
    outcomes=("repaired", "broken", "weakened", "survived", "nothing flagged", "no backdoor", "no trigger"),
    questions={
        "attack": Question(attack, ("falls", "in part", "stays", "low before", "no trigger")), "cost": cost.COST,
    },
)  # fmt: skip
