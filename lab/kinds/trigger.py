"""A trigger on a model: how often it leads to the target, here and on a clean model."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from torch import nn

from core.data import ImageSet
from core.data.modes import trigger_per_class
from core.metrics import any_to_any
from core.networks.predictions import predict
from core.runs import Progress, Run
from core.triggers import TRIGGERS, Trigger
from core.triggers.shared.cross import cross_accuracy
from lab.inputs import IMAGES, MODE, TARGET, N, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared import no_backdoor, scoring
from lab.kinds.shared.pictures import pictures
from lab.kinds.shared.scoring import answered, chunks, scored, write
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import backdoor_of, clean_model, model_of, test_images, triggered
from lab.kinds.shared.snippet_lines import backdoor_line
from lab.kinds.shared.snippet_lines import test_images as test_images_line
from lab.kinds.shared.words import of_all, percent, share
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Score `recipe.method` on the recipe's model.

    figures : acc, asr, ra of the model, and clean_model/acc, …/asr, …/ra of the clean model; of an any-to-any trigger
        asr/<target> and cross_talk too; of one with a brightness-matched control brightened/asr; of one with a wrong
        trigger of its kind cross_acc, the share still called by its true class under that one
    images : of an any-to-any trigger "answers" (1 + K, K, K), counts of true class by prediction: without trigger,
        then with that of each class
    images : "example" and "example/triggered", the first test image (1, C, H, W) without and with the trigger
    images, per_image : only with the input "images": original, triggered, perturbation; the predictions
    """
    model = yield from model_of(recipe)
    result, backdoor = Result(recipe), backdoor_of(recipe, model)
    no_backdoor.note(result, model)
    test = test_images(recipe, model)
    if trigger_per_class(backdoor.mode):
        answers = yield from answered("score", model, test, backdoor)
        result.images["answers"], scores = answers, any_to_any.scores(answers[1:], answers[0])
        result.figures["cross_talk"] = any_to_any.cross_talk(answers[1:])
    else:
        scores = yield from scored("score", model, test, backdoor)
    write(result, "", scores)
    if control := getattr(backdoor.trigger, "brightened", None):
        brighter = dataclasses.replace(backdoor, trigger=control)
        write(result, "brightened", (yield from scored("control", model, test, brighter)))
    if isinstance(backdoor.trigger, Trigger) and hasattr(backdoor.trigger, "crossed") and len(test) > 1:
        result.counts["cross_acc"], result.figures["cross_acc"] = yield from _crossed(model, test, backdoor.trigger)
    if (twin := clean_model(model, test)) is not None:
        write(result, "clean_model", (yield from scored("control", twin, test, backdoor)))
    result.images |= {"example": test[:1].pixels, "example/triggered": triggered(test[:1], backdoor)}
    if "images" in recipe.inputs:
        batch = pictures(recipe, model)
        shown = triggered(batch.data, backdoor)
        original = batch.data.pixels
        result.images |= {"original": original, "triggered": shown, "perturbation": shown - original}
        result.per_image |= {
            "index": batch.index, "label": batch.labels.tolist(),
            "before": predict(model, original).argmax(1).tolist(), "after": predict(model, shown).argmax(1).tolist(),
        }  # fmt: skip
    return result


def _crossed(model: nn.Module, data: ImageSet, trigger: Trigger) -> Run[tuple[int, float]]:
    """n and the cross accuracy; a slice of one picture is left out: there is no other to take a trigger from."""
    slices = [part for part in chunks(data) if len(part) > 1]
    hits, n = 0.0, sum(map(len, slices))
    for step, part in enumerate(slices, start=1):
        hits += cross_accuracy(model, part, trigger, seed=step) * len(part)
        yield Progress("control", step, len(slices), model=model)
    return n, hits / n


def conclude(result: Result) -> Conclusion:
    """Obeyed, partly obeyed, ignored, or no more than on a clean model: from the attack success and its floor."""
    asr, n = result.figures["asr"], result.counts["asr"]
    least = result.figures.get("clean_model/asr")
    told = _led(result, of_all(asr, n))
    if known := result.notes.get(no_backdoor.NOTE):
        return Conclusion("never learned", f"{told}, and this model {known}: so much is no evidence of one.")
    beside = "" if least is None else f", and {share(least, n)} on a model that was never backdoored"
    if least is not None and asr < least + 0.1:
        return Conclusion("not above the floor", f"{told}{beside}: that is no evidence of a backdoor.")
    if asr >= OFTEN:
        return Conclusion("obeyed", f"{told}{beside}: the model obeys it.")
    if asr >= SELDOM:
        return Conclusion("partly obeyed", f"{told}{beside}: the model obeys it in part.")
    return Conclusion("hardly obeyed", f"{told}{beside}: the model hardly obeys it.")


OFTEN, SELDOM = 0.75, 0.25
"""From this share of the pictures on a trigger is obeyed; below the other one, hardly."""


def _led(result: Result, pictures: str) -> str:
    """Where the trigger leads the pictures; of an any-to-any trigger each class has its own."""
    if "cross_talk" in result.figures:
        return f"The trigger of a class leads {pictures} to it"
    return f"The trigger leads {pictures} to the target"


def success(result: Result) -> Conclusion:
    """How often the trigger leads to the target on this very model."""
    asr = result.figures["asr"]
    return Conclusion(_often(asr), f"{_led(result, of_all(asr, result.counts['asr']))}.")


def _often(asr: float) -> str:
    return "often" if asr >= OFTEN else "in part" if asr >= SELDOM else "seldom"


def floor(result: Result) -> Conclusion:
    """How often the trigger leads to the target on a model that was never backdoored."""
    least = result.figures.get("clean_model/asr")
    if least is None:
        return Conclusion("no clean model", "There is no clean model of these data to try the trigger on.")
    told = _led(result, of_all(least, result.counts["clean_model/asr"]))
    return Conclusion(_often(least), f"{told} on a model that was never backdoored.")


def reach(result: Result) -> Conclusion:
    """How many of the classes are reached through a trigger of their own, in half of the cases or more."""
    shares = [value for name, value in result.figures.items() if name.startswith("asr/")]
    reached = sum(value >= 0.5 for value in shares)
    if not shares:
        return Conclusion("one trigger", "This trigger is the same for every class.")
    told = (
        f"{reached} of {len(shares)} classes are reached in half of the cases or more; the worst in "
        f"{percent(min(shares))}, the best in {percent(max(shares))}"
    )
    if (least := result.figures.get("clean_model/asr")) is not None:
        told += f", and all together in {percent(least)} on a clean model"
    return Conclusion("none" if not reached else "all" if reached == len(shares) else "some", f"{told}.")


def lines(script: Script, recipe: Recipe) -> None:
    """Scores of the trigger."""
    script.use("core.metrics", "evaluate")
    script.lines += [
        backdoor_line(script, recipe),
        test_images_line(script, recipe),
        "print(evaluate(model, test, **attack))",
    ]


_compared = partial(scoring.compared, against="clean_model", name="clean model")

KIND = Kind(
    "trigger", TRIGGERS, run, Snippet(lines), taking(IMAGES, N, TARGET, MODE),
    needs_classes=True,
    scores=(
        _compared(scoring.ASR),
        Score(
            "asr", "ASR, clean model", moment="clean_model",
            help="The floor: how often a model that was never backdoored still answers with the target class.",
        ),
        _compared(scoring.ACC),
        scoring.RA,
    ),
    conclude=conclude,
    outcomes=("obeyed", "partly obeyed", "hardly obeyed", "not above the floor", "never learned"),
    questions={
        "success": Question(success, ("often", "in part", "seldom")),
        "floor": Question(floor, ("often", "in part", "seldom", "no clean model")),
        "reach": Question(reach, ("none", "some", "all", "one trigger")),
    },
)  # fmt: skip
