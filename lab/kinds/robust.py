"""A robust training, alone or beside a second one from the same start: accuracy plain and under attack, and the gap."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from core.attacks import PGD
from core.data import ImageSet
from core.runs import Progress, Run
from core.training import ROBUST
from core.training.shared.records import examined
from core.training.shared.robust_training import RobustTraining
from lab import loading
from lab.inputs import MOMENTS, N, taking
from lab.inputs import method as method_input
from lab.kinds.kind import Kind, Question, Score
from lab.kinds.shared.beside import BESIDE, names, trained_names, training_lines, trainings
from lab.kinds.shared.changes import report
from lab.kinds.shared.fitting import is_fresh
from lab.kinds.shared.learner import as_stored, data_of, learner, limit, trained_by
from lab.kinds.shared.robust_outcomes import CHANGES, COSTS, OUTCOMES, change, conclude, cost
from lab.kinds.shared.scoring import ACC
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import clean_model, method_of, size_of
from lab.kinds.shared.side_by_side import side_by_side
from lab.results import Result
from lab.robust_names import called
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

TESTED = 200
"""Test pictures, and training pictures beside them, that are attacked where the recipe says no n."""


def run(recipe: Recipe) -> Run[Result]:
    """Train `arch:…`, or a given model further, and with the input "beside" a second time by that method.

    figures : after/acc and after/robust (under the method's judge) on the first n test pictures, train/acc and
        train/robust on as many that were trained on, gap (train/robust less after/robust), fgsm (right under one step
        of the judge's ε, on the test pictures); of the second training the same with beside/…; before/acc and
        before/robust of a given model; clean_model/robust where the data have one; chance (1 / K)
    notes : "method" and, where there is a second one, "beside": their names
    """
    first, both = method_of(recipe), trainings(recipe)
    start, train = yield from learner(recipe, max(each.pictures for each in both.values()))
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", TESTED), size=size_of(start))
    result = Result(recipe, figures={"chance": 1 / len(test.class_names)})
    result.notes |= names(recipe, called)
    yield from _floors(result, start, test, first)
    runs = {head: each.run(start, train, seed=recipe.seed) for head, each in both.items()}
    trained = yield from side_by_side(runs, {"n": first.heldout})
    for head, model in trained.items():
        as_stored(model)
        yield from _scores(result, head, model, {"train": _learned_from(both[head], train, len(test)), "test": test})
    result.model = model = trained[""]
    report(result, first, model)
    model.card = _card(model, start, recipe, result)
    return result


def _learned_from(method: RobustTraining, train: ImageSet, n: int) -> ImageSet:
    """The first n of the pictures that it trains on with their own labels."""
    used = min(method.pictures, len(train)) - method.pseudo_labelled - method.heldout
    return train[: max(0, min(n, used))]


def _floors(result: Result, start: Classifier, test: ImageSet, method: Any) -> Run[None]:
    """The network before the training, and the clean model of the data, under the same attack."""
    twin, fresh = clean_model(start, test), is_fresh(result.recipe)
    if not fresh:
        found = yield from examined(start, {"before": test}, method.judge, Progress("before", 1, 1, model=start))
        _write(result, len(test), {"before/acc": found["before/acc"], "before/robust": found["before/robust"]})
    if twin is not None and not fresh and twin.card.ref == start.card.ref:
        _write(result, len(test), {"clean_model/robust": result.figures["before/robust"]})
    elif twin is not None:
        found = yield from examined(twin, {"twin": test}, method.judge, Progress("control", 1, 1, model=twin))
        _write(result, len(test), {"clean_model/robust": found["twin/robust"]})


def _scores(result: Result, head: str, model: Classifier, sets: dict[str, ImageSet]) -> Run[None]:
    """A trained network's figures; `head` is "" or BESIDE."""
    judge, now, n = method_of(result.recipe).judge, Progress("score", 1, 1, model=model), len(sets["test"])
    step = PGD(eps=judge.eps, alpha=judge.eps, steps=1, random_start=False)
    found = yield from examined(model, sets, judge, now)
    one = yield from examined(model, {"one": sets["test"]}, step, now)
    of_test = head or "after/"
    _write(result, n, {f"{of_test}acc": found["test/acc"], f"{of_test}robust": found["test/robust"],
                       f"{head}fgsm": one["one/robust"]})  # fmt: skip
    _write(result, len(sets["train"]), {f"{head}train/{key}": found[f"train/{key}"] for key in ("acc", "robust")})
    result.figures[f"{head}gap"] = found["train/robust"] - found["test/robust"]


def _write(result: Result, n: int, figures: dict[str, float]) -> None:
    result.figures |= figures
    result.counts |= dict.fromkeys(figures, n)


def _card(model: Classifier, start: Classifier, recipe: Recipe, result: Result) -> Any:
    """The card of the network that was trained, with what was done to it and what came out."""
    scores = {name: result.figures[f"after/{name}"] for name in ("acc", "robust")}
    scores["n"] = result.counts["after/acc"]
    done = trained_by(start, model, recipe)
    return dataclasses.replace(
        start.card, data=data_of(start, recipe), done=done, scores={"test": scores}, recipe=recipe.to_dict()
    )


def lines(script: Script, recipe: Recipe) -> None:
    """Both trainings, and both accuracies."""
    script.use("core.metrics", "evaluate")
    size = training_lines(script, recipe)
    n = limit(recipe.inputs.get("n", TESTED))
    script.lines += [
        f'test = load_data({script.data(recipe)}, "test"{n}{size})',
        f"judge = {script.code(dataclasses.replace(method_of(recipe).judge, stop_early=False))}",
        f"for trained in ({trained_names(recipe)}):",
        "    attacked = finish(judge.run(trained, test.pixels, test.labels))",
        "    print(evaluate(trained, test).acc, 1 - attacked.success.float().mean().item())",
    ]


def _score(key: str, label: str, help: str, better: str = "up", **more: Any) -> Score:
    return Score(key, label, help=help, better=better, live=True, **more)


PGD_HELP = "While it runs on pictures held out, in the end on test pictures."
KIND = Kind(
    "robust", ROBUST, run, Snippet(lines, loads_model=False),
    taking(N, method_input("beside", ROBUST, "robust training"), MOMENTS), needs_classes=True,
    scores=(
        dataclasses.replace(ACC, moment="after", against="before",
                            help=f"Share of pictures that are right without an attack. {PGD_HELP}"),
        _score("robust", "Robust accuracy", f"Share of pictures that are right under PGD. {PGD_HELP}",
               short="Robust", moment="after", against="before"),
        _score("train/robust", "Robust, training", "Share of the pictures it learned from that are right under PGD."),
        _score("gap", "Robust gap", "Robust accuracy on training pictures less that on others.", "down", n=""),
        _score(f"{BESIDE}acc", "Accuracy, beside", f"Of the second training, without an attack. {PGD_HELP}"),
        _score(f"{BESIDE}robust", "Robust, beside", f"Of the second training, under PGD. {PGD_HELP}"),
        _score(f"{BESIDE}train/robust", "Training, beside", "Of the second training, under PGD, on training pictures."),
        _score(f"{BESIDE}gap", "Gap, beside", "Of the second training: training pictures less others.", "down", n=""),
    ),
    conclude=conclude, outcomes=OUTCOMES, leaves_model=True,
    questions={"change": Question(change, CHANGES), "cost": Question(cost, COSTS)},
)  # fmt: skip
