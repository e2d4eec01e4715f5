"""The kind `robust`: figures by hand, two trainings at once, its card, its snippet, names, and bad input."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import core.data
from core.attacks import PGD
from core.data import ImageSet
from core.networks.predictions import predict
from core.runs import Progress, Run, finish
from core.training import AWP, FGSMRS, MART, NFGSM, SAM, TRADES, Adversarial, Standard
from core.training.shared.crafting import crafted
from lab import loading, methods
from lab.kinds.robust import _card
from lab.kinds.shared.side_by_side import side_by_side
from lab.recipes import Recipe
from lab.results import Result
from lab.robust_names import NAMES, called, live, named, same_batches
from lab.running.curve import Curve
from lab.running.stopped import stopped
from lab.saving import card_of

pytestmark = pytest.mark.usefixtures("small")
SHORT: dict[str, Any] = dict(
    attack=PGD(eps=0.02, alpha=0.01, steps=1), judge=PGD(eps=0.02, alpha=0.01, steps=2), epochs=2, pictures=48,
    heldout=16, batch_size=16,
)  # fmt: skip
AT, BOTH = Adversarial(**SHORT), {"n": 24, "beside": methods.to_dict(Adversarial(**SHORT, weight_perturbation=AWP()))}
FRESH = "arch:preact_resnet18?width=2"


def right(model: Any, data: ImageSet) -> float:
    return (predict(model, data.images).argmax(1) == data.labels).float().mean().item()


def under_attack(model: Any, data: ImageSet) -> float:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        attacked = crafted(model, SHORT["judge"], data.pixels, data.labels)
    return (predict(model, attacked).argmax(1) == data.labels).float().mean().item()


def test_the_figures_are_those_of_the_model_on_test_and_on_training_pictures(tiny_model: str) -> None:
    result = finish(Recipe(AT, tiny_model, inputs={"n": 24}).run())
    test, train = loading.images("scenes", "test", limit=24), loading.images("scenes", "train", limit=24)
    found, model = result.figures, result.model
    assert found["after/acc"] == pytest.approx(right(model, test))
    assert found["after/robust"] == pytest.approx(under_attack(model, test))
    assert found["train/robust"] == pytest.approx(under_attack(model, train))
    assert found["gap"] == pytest.approx(found["train/robust"] - found["after/robust"])
    assert found["before/robust"] == pytest.approx(under_attack(loading.classifier(tiny_model), test))
    assert "beside/acc" not in found and result.counts["train/robust"] == 24 and found["chance"] == 0.1
    assert result.conclusion is not None


def test_a_card_names_the_data_that_it_was_trained_on_not_those_of_its_start(tiny_model: str) -> None:
    result = Result(Recipe(AT, tiny_model, "cifar10"))
    result.figures |= {"after/acc": 0.5, "after/robust": 0.25}
    result.counts["after/acc"] = 8
    start = loading.classifier(tiny_model)
    card = _card(start, start, result.recipe, result)
    assert start.card.data != card.data == "cifar10" and "on cifar10" in card.done


def test_as_many_training_pictures_as_were_learned_from(tiny_model: str) -> None:
    result = finish(Recipe(AT, tiny_model, inputs={"n": 60}).run())
    assert result.counts["after/robust"] == 60 and result.counts["train/robust"] == 32


def test_each_of_two_trainings_ends_as_it_does_alone(tiny_model: str) -> None:
    both = finish(Recipe(AT, tiny_model, inputs=BOTH).run())
    alone = finish(Recipe(AT, tiny_model, inputs={"n": 24}).run())
    other = finish(Recipe(methods.from_dict(BOTH["beside"]), tiny_model, inputs={"n": 24}).run())
    for key in ("acc", "robust"):
        assert both.figures[f"after/{key}"] == alone.figures[f"after/{key}"]
        assert both.figures[f"beside/{key}"] == other.figures[f"after/{key}"]
    state = alone.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in both.model.state_dict().items())
    assert both.notes == {"method": "AT", "beside": "AT-AWP"}
    assert {"epoch", "robust", "train/robust", "gap", "beside/robust", "beside/gap"} <= set(both.curve[-1]) | {
        name for point in both.curve for name in point
    }
    assert "from the same start and the same batches" in both.conclusion.text


def test_a_fresh_network_has_no_before(tiny_model: str) -> None:
    result = finish(Recipe(AT, FRESH, inputs={"n": 24}).run())
    assert "before/acc" not in result.figures and "clean_model/robust" in result.figures


def test_the_card_says_what_was_done_and_how_robust_it_is(tiny_model: str) -> None:
    result = finish(Recipe(AT, tiny_model, inputs={"n": 24}).run())
    card = card_of(result)
    assert "was trained further by Adversarial on scenes" in card.done
    found = {name: result.figures[f"after/{name}"] for name in ("acc", "robust")}
    assert card.scores["test"] == found | {"n": 24}


def test_a_stopped_run_has_the_last_look_at_pictures_held_out(tiny_model: str) -> None:
    recipe = Recipe(AT, tiny_model, inputs=BOTH)
    curve = Curve(recipe.kind.scores)
    run = recipe.run(curve)
    while not any("beside/gap" in point for point in curve.points):
        last = next(run)
    run.close()
    half = stopped(recipe, curve.points, last)
    assert half.stopped and half.counts["after/robust"] == 16 and "gap" not in half.counts
    assert half.figures["gap"] == pytest.approx(half.figures["train/robust"] - half.figures["after/robust"])


@pytest.mark.parametrize("inputs", [{"n": 24}, BOTH], ids=["alone", "beside another"])
def test_what_a_stopped_run_leaves_is_the_model_of_its_moments(tiny_model: str, inputs: dict[str, Any]) -> None:
    recipe = Recipe(AT, tiny_model, inputs=inputs)
    curve, run = Curve(recipe.kind.scores), recipe.run()
    while curve.moments < 3:
        last = next(run)
        curve.note(last)
    left = stopped(recipe, curve.points, last, curve.moments)
    run.close()
    assert left.recipe.inputs["moments"] == 3
    again = finish(left.recipe.run())
    assert again.stopped and again.recipe == left.recipe
    state, start = left.model.state_dict(), loading.classifier(tiny_model).state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in again.model.state_dict().items())
    assert any(not torch.equal(tensor, state[name]) for name, tensor in start.items())


def test_the_slowest_takes_the_next_step_and_all_are_closed() -> None:
    closed = []

    def steps(name: str, total: int) -> Run[str]:
        try:
            for step in range(1, total + 1):
                yield Progress("train", step, total, {"loss": float(step)})
            return name
        finally:
            closed.append(name)

    seen = []
    run = side_by_side({"": steps("a", 2), "beside/": steps("b", 4)}, {"n": 5.0})
    try:
        while True:
            seen.append(next(run))
    except StopIteration as end:
        assert end.value == {"": "a", "beside/": "b"}
    assert [(each.step, each.total) for each in seen][-1] == (6, 6)
    assert seen[2].metrics == {"n": 5.0, "loss": 1.0, "beside/loss": 2.0}
    half = side_by_side({"": steps("c", 2), "beside/": steps("d", 2)}, {})
    next(half), next(half)
    half.close()
    assert sorted(closed) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_gives_the_training_that_is_called_so(name: str) -> None:
    shared = live()
    method = named(name, shared, AWP(gamma=0.02))
    assert called(method) == name and same_batches(method, shared) and method.epochs == shared.epochs
    if name.endswith("-AWP"):
        assert method.weight_perturbation == AWP(gamma=0.02)


def test_single_steps_have_the_ball_of_the_attack() -> None:
    shared = live()
    for name, cls in (("FGSM-RS", FGSMRS), ("N-FGSM", NFGSM)):
        attack: Any = named(name, shared, AWP()).attack
        assert isinstance(attack, cls) and attack.eps == 8 / 255
    assert not same_batches(shared, TRADES(pictures=500))


@pytest.mark.parametrize(
    ("method", "inputs", "said"),
    [
        (AT, {"beside": {"method": "Standard"}}, "beside = Standard is not a robust training"),
        (AT, {"beside": {"method": "Nothing"}}, "not a registered method"),
        (AT, {"n": 0}, "n = 0 must be"),
    ],
)
def test_bad_input_is_refused(tiny_model: str, method: Any, inputs: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Recipe(method, tiny_model, inputs=inputs)


def test_what_cannot_be_trained_is_one_sentence(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="1 pictures to train on") as few:
        finish(Recipe(Adversarial(**SHORT | {"pictures": 17}), tiny_model).run())
    monkeypatch.setattr(loading.classifier(tiny_model), "class_names", tuple("abc"))
    with pytest.raises(ValueError, match="choose data that the model was trained for") as misfit:
        finish(Recipe(AT, tiny_model).run())
    for refusal in (few, misfit):
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("inputs", [{"n": 24}, BOTH])
def test_the_snippet_trains_the_recipes_models(
    tiny_model: str, inputs: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    recipe = Recipe(AT, tiny_model, inputs=inputs)
    names: dict[str, Any] = {}
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    exec(compile(recipe.python(), "snippet", "exec"), names)
    result = finish(recipe.run())
    printed = [[float(word) for word in line.split()] for line in capsys.readouterr().out.splitlines() if line]
    heads = ["after/", "beside/"][: len(printed)]
    assert len(printed) == len(inputs)
    for (acc, robust), head in zip(printed, heads, strict=True):
        assert acc == pytest.approx(result.figures[f"{head}acc"], abs=0.05)
        assert robust == pytest.approx(result.figures[f"{head}robust"], abs=0.1)


def test_other_trainings_are_still_of_their_own_kind() -> None:
    kinds = {cls: Recipe(cls(), FRESH).kind.name for cls in (Standard, Adversarial, TRADES, MART)}
    assert kinds == {Standard: "training", Adversarial: "robust", TRADES: "robust", MART: "robust"}
    assert called(Adversarial(weight_perturbation=SAM())) == "AT-SAM"
