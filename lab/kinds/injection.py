"""A weight-space injection: scores before and after, and how far the weights moved."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from core.attacks import WEIGHT_ATTACKS
from core.data import ImageSet
from core.data.modes import ALL_TO_ONE
from core.networks.predictions import predict
from core.runs import Progress, Run
from lab import loading, methods
from lab.inputs import BACKDOOR, MOMENTS, N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared import scoring
from lab.kinds.shared.changes import examples, report
from lab.kinds.shared.cost import COST, SHOWS, accuracy
from lab.kinds.shared.scoring import chunks, scored, watched, write
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import Backdoor, backdoor_to_try, model_of, size_of, test_images
from lab.kinds.shared.snippet_lines import changed, single_target_line
from lab.kinds.shared.words import moved, percent, share
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Write a backdoor into the recipe's model; without a trigger of its own or in the inputs, BadNets to class 0.

    figures : before/… and after/… (acc, asr, ra), where before/asr is the trigger's ASR on the unchanged model;
        "agreement", the share of test images that both models classify alike; the weights' change as report/…
    images : "histogram" (counts) and "histogram/edges" of abs(dw) / abs(w); original and triggered examples
    per_image : as of a defense: "index", "label", "before", "after", "before/triggered", "after/triggered"
    model : the injected one, with trigger, target and mode, so that a defense can go on from it
    """
    model = yield from model_of(recipe)
    result, backdoor = Result(recipe), _backdoor(recipe, model)
    test = test_images(recipe, model)
    clean = loading.images(recipe.data, "defender", seed=0, size=size_of(model))
    write(result, "before", (yield from scored("before", model, test, backdoor)))
    method: Any = recipe.method
    work = method.run(model, clean, trigger=backdoor.trigger, target=backdoor.target, seed=recipe.seed)
    injected: Classifier = yield from watched(work, test, backdoor, model)
    injected.card = _card(injected, recipe, backdoor)
    result.model = injected
    write(result, "after", (yield from scored("after", injected, test, backdoor)))
    yield from _agreement(result, model, injected, test)
    examples(result, model, test, backdoor)
    report(result, method, injected)
    for name in ("histogram", "edges"):
        found = injected.report[f"relative/{name}"]
        assert isinstance(found, Tensor)
        result.images["histogram" if name == "histogram" else "histogram/edges"] = found
    return result


def _backdoor(recipe: Recipe, model: Classifier) -> Backdoor:
    """The backdoor to write, one that leads every class to the same target."""
    mode = recipe.inputs.get("mode", ALL_TO_ONE)
    if mode != ALL_TO_ONE:
        raise ValueError(f"{type(recipe.method).__name__} leads every class to one target; it takes no mode {mode!r}.")
    return backdoor_to_try(recipe.replace(inputs=recipe.inputs | {"mode": mode}), model)


def _agreement(result: Result, model: nn.Module, injected: nn.Module, test: ImageSet) -> Run[None]:
    """The share of the clean test images that both models put into one class."""
    same, slices = 0, chunks(test)
    for step, part in enumerate(slices, start=1):
        same += int((predict(model, part.images).argmax(1) == predict(injected, part.images).argmax(1)).sum())
        yield Progress("agreement", step, len(slices), model=injected)
    result.figures["agreement"], result.counts["agreement"] = same / len(test), len(test)


def _card(model: Classifier, recipe: Recipe, backdoor: Backdoor) -> Any:
    """The model's card, with what was done to it."""
    trigger: Any = backdoor.trigger
    done = (
        f"{model.card.done} {type(recipe.method).__name__} then wrote the trigger {methods.to_dict(trigger)['method']} "
        f"into its weights, to lead to class {backdoor.target}. Backdoored on purpose."
    )
    return dataclasses.replace(model.card, done=done.strip(), backdoored=True)


def conclude(result: Result) -> Conclusion:
    """Injected, at a visible cost, weak, failed or there before: from the trigger's success and from clean pictures."""
    figures, n = result.figures, result.counts
    before, after = figures["before/asr"], figures["after/asr"]
    told = (
        f"{moved('attack success', before, after, n.get('after/asr'))}; {accuracy(result)}, and both models agree on "
        f"{share(figures['agreement'], n.get('agreement'))} of the clean pictures"
    )
    middle, mean = figures["report/relative/50"], figures["report/relative/mean"]
    moves = f"Half of the weights changed by more than {percent(middle)} of their size, the mean is {percent(mean)}."
    if before >= 0.9:
        return Conclusion("there before", f"The trigger worked before the injection already: {told}. {moves}")
    if after >= 0.9 and figures["before/acc"] - figures["after/acc"] > SHOWS:
        return Conclusion("costly", f"The backdoor is in the weights, but clean pictures show it: {told}. {moves}")
    if after >= 0.9:
        return Conclusion("injected", f"The backdoor is in the weights: {told}. {moves}")
    if after - before >= 0.1:
        return Conclusion("weak", f"The backdoor works on some pictures only: {told}. {moves}")
    return Conclusion("failed", f"The injection failed: {told}. {moves}")


def lines(script: Script, recipe: Recipe) -> None:
    """Write the backdoor, and scores before and after."""
    changed(script, recipe, single_target_line(script, recipe), "model, clean, **attack")


_compared = partial(scoring.compared, moment="after", against="before", name="unchanged model")

KIND = Kind(
    "injection", WEIGHT_ATTACKS, run, Snippet(lines), taking(N, *BACKDOOR, MOMENTS),
    needs_classes=True,
    scores=(
        _compared(scoring.ASR),
        _compared(scoring.ACC),
        Score(
            "agreement", "Agreement",
            help="Share of the clean test pictures that both models put into the same class. A customer who compares "
            "the two sees this number.",
        ),
    ),
    conclude=conclude, outcomes=("injected", "costly", "weak", "failed", "there before"), leaves_model=True,
    questions={"cost": COST},
)  # fmt: skip
