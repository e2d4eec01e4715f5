"""One change for all pictures: how many answers it changes, on pictures and networks that it was not made on too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from core.attacks import UNIVERSALS, Patch, UniversalChange
from core.attacks.universal.universal_change import Fooled
from core.data import ImageSet
from core.networks.predictions import predict
from core.runs import Progress, Run
from lab import loading
from lab.inputs import TARGET, N, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import method_of, model_of, require_target, size_of
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from lab.robust_zoo import beside
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

PICTURES = 300
"""Test pictures that it is judged on where the recipe says no n."""
SHOWN = 6
"""Test pictures that are shown with the change."""


def run(recipe: Recipe) -> Run[Result]:
    """Find the change on training pictures, judge it on test pictures; the labels of both play no part.

    figures : "fooling" (test), "fit/fooling", "control/fooling", "others/fooling" (mean over the networks beside it)
    images : "change" (C, H, W), or the patch; "original" and "changed", test pictures; "answers" (2, K), how often the
        model says each class before and after; "others" (M, 3), fooling rates of the change and of the control on each
        network, and the pictures that count; of a patch "sides" (S, 3), its side and both rates there
    notes : "models", the networks beside it, separated by commas; "class", the name of the target
    """
    model = yield from model_of(recipe)
    method, size, target = method_of(recipe), size_of(model), recipe.inputs.get("target")
    if target is not None:
        require_target(target, model)
    fit = loading.images(recipe.data, "train", limit=method.pictures, size=size)
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", PICTURES), size=size)
    found: UniversalChange = yield from method.run(model, fit, test=test, target=target, seed=recipe.seed)
    result = Result(recipe)
    if target is not None:
        result.notes["class"] = model.class_names[target]
    for head, each in (("", found.test), ("fit/", found.fit), ("control/", found.control)):
        _write(result, f"{head}fooling", each)
    shown = test[:SHOWN].pixels
    result.images |= {"change": found.change.cpu(), "original": shown.cpu(), "changed": found.on(shown).cpu()}
    classes = len(model.class_names)
    answers = [each.bincount(minlength=classes).cpu() for each in (found.test.before, found.test.after)]
    result.images["answers"] = torch.stack(answers)
    result.per_image |= {"index": list(range(len(shown))), "before": found.test.before[:SHOWN].tolist(),
                         "after": found.test.after[:SHOWN].tolist()}  # fmt: skip
    if found.by_side:
        result.images["sides"] = torch.tensor(
            [[side, seen.share, control.share] for side, (seen, control) in found.by_side.items()]
        )
    yield from _others(result, model, found, test)
    return result


def _write(result: Result, name: str, found: Fooled) -> None:
    result.figures[name], result.counts[name] = found.share, found.n


def _others(result: Result, model: Classifier, found: UniversalChange, test: ImageSet) -> Run[None]:
    """The same change on other networks, each judged against its own answers."""
    rates, nets = [], beside(model)
    for step, net in enumerate(nets.values(), start=1):
        before = predict(net, test.images).argmax(1)
        both = [Fooled(before, predict(net, change(test.pixels)).argmax(1), found.target)
                for change in (found.on, found.blind)]  # fmt: skip
        rates.append([*(each.share for each in both), both[0].n])
        yield Progress("others", step, len(nets))
    if rates:
        result.images["others"], result.notes["models"] = torch.tensor(rates), ", ".join(nets)
        result.figures["others/fooling"] = sum(row[0] for row in rates) / len(rates)


CLEAR = 0.1
"""From this difference on, two fooling rates are told as different."""


def conclude(result: Result) -> Conclusion:
    """Whether it fools most of the pictures that it was not made on, and more than the control does."""
    found, counts = result.figures, result.counts
    n = counts["fooling"]
    if not n:
        return Conclusion("nothing to fool", "Every test picture is given the target without a change already.")
    told = (
        f"{_what(result)} {_does(result)} on {of_all(found['fooling'], n)} that it was not made on, "
        f"{_control(result)} on {share(found['control/fooling'], n)}"
    )
    if found["fooling"] < found["control/fooling"] + CLEAR:
        return Conclusion("no better than its control", f"{told}: no more than chance changes of that size do.")
    outcome = "most" if found["fooling"] >= 0.5 else "some"
    return Conclusion(outcome, f"{told}.{_elsewhere(result)}{_leading(result)}")


def _what(result: Result) -> str:
    method = method_of(result.recipe)
    if isinstance(method, Patch):
        return f"The patch, {100 * method.smallest:.0f} to {100 * method.largest:.0f} % of the picture's side,"
    size = f"ξ = {255 * method.xi:.3g}/255" if method.norm == "linf" else f"L2 norm {method.xi:.3g}"
    return f"One perturbation of {size}"


def _does(result: Result) -> str:
    return f"leads to {result.notes['class']}" if "class" in result.notes else "changes the answer"


def _control(result: Result) -> str:
    return "the patch with its pixels shuffled" if _patch(result) else "random signs of the same size do so"


def _patch(result: Result) -> bool:
    return isinstance(result.recipe.method, Patch)


def _elsewhere(result: Result) -> str:
    """What it does to the networks beside it, in a sentence."""
    if "others" not in result.images:
        return ""
    names = result.notes["models"].split(", ")
    rates = [f"{name} {share(float(rate), int(n))}"
             for name, (rate, _, n) in zip(names, result.images["others"], strict=True)]  # fmt: skip
    return f" On networks that it was not made on: {', '.join(rates)}."


def _leading(result: Result) -> str:
    """Without a target: the class that most answers go to."""
    if "class" in result.notes:
        return ""
    before, after = result.images["answers"]
    gain = (after - before).argmax()
    names = loading.classifier(str(result.recipe.model)).class_names if isinstance(result.recipe.model, str) else ()
    if not names or int(after[gain] - before[gain]) <= 0:
        return ""
    return f" Most often it leads to {names[int(gain)]}: {int(before[gain])} answers before, {int(after[gain])} after."


def held_out(result: Result) -> Conclusion:
    """Whether it fools pictures that it was not made on as often as those it was."""
    found, counts = result.figures, result.counts
    told = (
        f"It fools {of_all(found['fit/fooling'], counts['fit/fooling'], 'training pictures')} and "
        f"{of_all(found['fooling'], counts['fooling'], 'test pictures')}."
    )
    less = found["fit/fooling"] - found["fooling"]
    return Conclusion("as often" if abs(less) < CLEAR else "less often" if less > 0 else "more often", told)


def lines(script: Script, recipe: Recipe) -> None:
    """Find the change and print its fooling rates."""
    script.use("core.runs", "finish")
    target = f", target={recipe.inputs['target']}" if "target" in recipe.inputs else ""
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f'fit = load_data({script.data(recipe)}, "train", limit=method.pictures, {SIZE})',
        f'test = load_data({script.data(recipe)}, "test", limit={recipe.inputs.get("n", PICTURES)}, {SIZE})',
        f"found = finish(method.run(model, fit, test=test{target}, seed={recipe.seed}), bar=True)",
        'print("fooled", found.test.share, "control", found.control.share, "of", found.test.n)',
    ]


KIND = Kind(
    "universal", UNIVERSALS, run, Snippet(lines), taking(N, TARGET),
    scores=(
        Score("fooling", "Fooled", live=True,
              help="Share of the test pictures whose answer changes, or with a target goes to it; none was learned "
              "from. With a target, pictures that are given it anyway are left out."),
        Score("fit/fooling", "Fooled, training", live=True, n="",
              help="The same of the pictures that it was made on."),
        Score("fooling", "Control", moment="control",
              help="The same of the test pictures under a blind change of the same size: random signs, or the patch "
              "with its pixels shuffled."),
        Score("others/fooling", "Other networks",
              help="The same on networks that it was not made on, each against its own answers; the mean over them."),
    ),
    conclude=conclude, outcomes=("most", "some", "no better than its control", "nothing to fool"),
    questions={"held out": Question(held_out, ("as often", "less often", "more often"))},
)  # fmt: skip
