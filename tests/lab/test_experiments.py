"""Experiments of each kind on a tiny model: what a result holds, that stopping and scoring leave no trace."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.attacks import FGSM, PGD, Regional
from core.data import Scenes
from core.defenses import TSBD, FinePruning, FineTuning
from core.explain import GradCAM
from core.metrics import evaluate
from core.runs import Progress, finish
from core.training import Standard
from core.triggers import BadNets, Flareon, InputAware, Poison, WaNet
from core.triggers.shared.cross import cross_accuracy
from lab import cache_key, loading, results, uploads
from lab.kinds.shared import scoring
from lab.recipes import Recipe
from lab.running.curve import Curve
from lab.running.stopped import stopped
from lab.settings import Settings
from models import Classifier, load

pytestmark = pytest.mark.usefixtures("small")

REPAIRS = [
    FineTuning(steps=3, batch_size=8),
    FinePruning(steps=3, batch_size=8),
    TSBD(unlearn_steps=3, steps=3, batch_size=8, candidates=2),
    TSBD(unlearn_steps=2, steps=2, batch_size=8, candidates=2, selection="oracle"),
]


def stages(recipe: Recipe) -> list[Progress]:
    """Every progress of a run."""
    return list(recipe.run())


def test_a_defense_is_scored_before_and_after(tiny_model: str) -> None:
    recipe = Recipe(REPAIRS[0], tiny_model, inputs={"n": 40})
    result = finish(recipe.run())
    test = loading.images("scenes", "test", limit=40)
    shared = loading.classifier(tiny_model)
    scores = evaluate(shared, test, trigger=BadNets(), target=0)
    assert result.figures["before/acc"] == pytest.approx(scores.acc)
    assert result.figures["before/asr"] == pytest.approx(scores.asr)
    assert result.counts["before/acc"] == 40 and result.counts["after/asr"] == scores.n_asr
    assert {"after/acc", "after/ra", "der", "rir"} <= set(result.figures)
    after = evaluate(result.model, test, trigger=BadNets(), target=0)  # type: ignore[arg-type]
    assert result.figures["after/acc"] == pytest.approx(after.acc)
    low, high = result.interval("after/acc")  # type: ignore[misc]
    assert low <= result.figures["after/acc"] <= high
    for name in ("confusion/before", "confusion/after"):
        assert result.images[name].sum() == result.images[f"{name}/triggered"].sum() == 40
    index = result.per_image["index"]
    assert all(label != 0 for label in result.per_image["label"])
    assert torch.equal(result.images["original"], test[index].pixels)
    assert len(result.per_image["after/triggered"]) == len(index) > 0
    assert result.seconds > 0 and result.device.startswith("cpu") and len(result.versions[tiny_model]) == 64
    assert result.row()["key"] == recipe.key()


@pytest.mark.parametrize(
    "method", REPAIRS, ids=lambda method: f"{type(method).__name__}-{getattr(method, 'selection', '')}"
)
def test_the_same_recipe_gives_the_same_figures(tiny_model: str, method: Any) -> None:
    recipe = Recipe(method, tiny_model, inputs={"n": 30})
    first, second = finish(recipe.run()), finish(recipe.run())
    assert first.figures == second.figures
    if getattr(method, "selection", "") == "oracle":
        assert "peeked" in first.notes["selection"]


def test_live_scores_come_and_change_nothing(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(TSBD(unlearn_steps=3, steps=4, batch_size=8, candidates=1), tiny_model, inputs={"n": 30})
    quiet = finish(recipe.run())
    monkeypatch.setattr(scoring, "settings", dataclasses.replace(Settings(), live_every=0.0))
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    scored = 0
    run = recipe.run()
    while True:
        try:
            progress = next(run)
        except StopIteration as end:
            loud = end.value
            break
        scored += progress.stage in ("unlearn", "tune") and {"acc", "asr", "ra", "n"} <= set(progress.metrics)
    assert scored >= 1
    assert loud.figures == quiet.figures
    for name, value in quiet.model.state_dict().items():  # type: ignore[union-attr]
        assert torch.equal(value, loud.model.state_dict()[name])


def test_first_progress_comes_before_anything_is_loaded() -> None:
    run = Recipe(FineTuning(), "zoo:no-such-model").run()
    assert next(run).stage == "load"
    with pytest.raises(ValueError, match="no-such-model"):
        next(run)


@pytest.mark.parametrize("method", REPAIRS[:3], ids=lambda method: type(method).__name__)
def test_stopping_anywhere_leaves_the_shared_model_as_it_was(tiny_model: str, method: Any) -> None:
    shared = loading.classifier(tiny_model)
    before = copy.deepcopy(shared.state_dict())
    recipe = Recipe(method, tiny_model, inputs={"n": 20})
    for stop in range(1, len(stages(recipe)) + 1):
        run = recipe.run()
        for _ in itertools.islice(run, stop):  # live scores come in slices, so that no two runs say equally much
            pass
        run.close()
        assert all(torch.equal(value, before[name]) for name, value in shared.state_dict().items())
        assert not shared.training and not any(p.requires_grad for p in shared.parameters())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in shared.modules())
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


def test_a_stopped_run_keeps_its_last_scores_and_its_model(tiny_model: str) -> None:
    recipe = Recipe(FineTuning(steps=50, batch_size=8), tiny_model, inputs={"n": 20})
    curve, last = Curve(recipe.kind.scores), None
    run = recipe.run(curve)
    while last is None or last.stage != "tune":
        last = next(run)
    run.close()
    found = stopped(recipe, curve.points, last)
    assert found.stopped and {"before/acc", "before/asr"} <= set(found.figures) and found.counts["before/acc"] == 20
    assert found.model is not None and not found.model.training
    assert found.model(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_a_stopped_run_is_compared_over_as_many_images_as_its_last_score() -> None:
    first = {"stage": "before", "step": 1, "total": 1, "seconds": 1.0, "acc": 0.97, "n": 1000}
    points = [first, first | {"acc": 0.96, "n": 400}, first | {"stage": "tune", "acc": 0.9, "n": 400}]
    found = stopped(Recipe(FineTuning(), "zoo:scenes-badnets"), points, None)
    assert found.figures == {"before/acc": 0.96, "after/acc": 0.9}
    assert found.counts == {"before/acc": 400, "after/acc": 400} and found.conclusion is None
    assert "before/acc" not in stopped(found.recipe, [first, points[2]], None).figures
    assert stopped(found.recipe, points[:1], None).figures == {"before/acc": 0.97}


def test_an_attack_has_a_control_of_the_same_size(tiny_model: str) -> None:
    result = finish(Recipe(FGSM(eps=0.1), tiny_model, inputs={"images": [3, 1, 4]}).run())
    assert result.per_image["index"] == [3, 1, 4] and len(result.per_image["l2"]) == 3
    assert torch.equal(result.images["original"], loading.images("scenes", "test")[[3, 1, 4]].pixels)
    change = result.images["adversarial"] - result.images["original"]
    assert torch.equal(change, result.images["perturbation"]) and change.abs().max() <= 0.1 + 1e-6
    right = sum(a == b for a, b in zip(result.per_image["label"], result.per_image["before"], strict=True))
    assert result.counts.get("control/success", 0) == right


def test_local_and_global_are_compared_where_both_succeed(tiny_model: str) -> None:
    mask = "0" * 16 + "0ff0" * 8 + "0" * 16
    inputs = {"n": 30, "mask": mask, "judge": tiny_model, "target": 4}
    result = finish(Recipe(Regional(steps=20, alpha=0.05), tiny_model, inputs=inputs).run())
    region = result.images["region"]
    assert region[0].sum() == 16 * 16 and not (result.images["perturbation"].abs().sum(1) > 0)[~region].any()
    assert set(result.per_image["target"]) == {4} and len(result.per_image["judge"]) == 30
    assert {"l0", "global/l0", "global/success"} <= set(result.per_image)
    if "success" in result.figures:
        assert {"global/success", "control/success"} <= set(result.figures)


def test_a_trigger_is_scored_and_shown(tiny_model: str) -> None:
    inputs = {"n": 40, "images": [0, 1], "target": 3}
    result = finish(Recipe(BadNets(side=5), tiny_model, inputs=inputs).run())
    scores = evaluate(
        loading.classifier(tiny_model), loading.images("scenes", "test", limit=40), trigger=BadNets(side=5), target=3
    )
    assert result.figures["asr"] == pytest.approx(scores.asr) and result.counts["asr"] == scores.n_asr
    stamped = BadNets(side=5)(result.images["original"])
    assert torch.equal(result.images["triggered"], stamped) and len(result.per_image["after"]) == 2


def test_a_wrong_trigger_of_the_same_kind_is_scored_beside(tiny_model: str) -> None:
    result = finish(Recipe(WaNet(), tiny_model, inputs={"n": 40, "target": 3}).run())
    model, test = loading.classifier(tiny_model), loading.images("scenes", "test", limit=40)
    assert result.figures["cross_acc"] == cross_accuracy(model, test, WaNet(), seed=1)
    assert result.counts["cross_acc"] == 40
    alone = finish(Recipe(WaNet(), tiny_model, inputs={"n": 1, "target": 3}).run())
    assert "cross_acc" not in alone.figures  # there is no other picture


def test_an_explainer_gives_raw_maps(tiny_model: str) -> None:
    result = finish(Recipe(GradCAM(), tiny_model, inputs={"images": [0, 5], "target": 2}).run())
    assert result.images["map"].shape[0] == 2 and result.images["original"].shape == (2, 3, 32, 32)


def test_an_upload_is_fitted_and_judged_by_the_models_own_answer(tiny_model: str) -> None:
    ref = uploads.keep(torch.randint(0, 256, (3, 50, 80), dtype=torch.uint8))
    result = finish(Recipe(FGSM(), tiny_model, inputs={"images": ref}).run())
    assert result.images["original"].shape == (1, 3, 32, 32) and "own answers" in result.notes["labels"]
    assert result.per_image["label"] == result.per_image["before"]


def test_a_chain_runs_its_first_link_once(tiny_model: str) -> None:
    first = Recipe(FineTuning(steps=2, batch_size=8), tiny_model, inputs={"n": 20})
    chain = Recipe(GradCAM(), first, inputs={"images": [0]})
    assert any(progress.stage == "tune" for progress in stages(chain))
    again = stages(chain)
    assert not any(progress.stage == "tune" for progress in again)
    kept = results.kept.get(first.key())
    assert kept is not None and kept.model is not None
    with pytest.raises(ValueError, match="leaves no model"):
        stages(Recipe(GradCAM(), chain))


@pytest.mark.parametrize("start", ["arch:preact_resnet18?width=4", "TINY"], ids=["fresh", "further"])
def test_a_training_ends_in_a_model_with_a_card(tiny_model: str, start: str) -> None:
    method = Standard(epochs=1, batch_size=32, poison=Poison(trigger=BadNets(), target=2, rate=0.25))
    recipe = Recipe(method, tiny_model if start == "TINY" else start, seed=5)
    compile(recipe.python(), "training", "exec")
    result = finish(recipe.run())
    model: Any = result.model
    assert {"after/acc", "after/asr", "heldout/acc"} <= set(result.figures)
    assert (model.target, model.mode, len(model.poisoned)) == (2, "all-to-one", 24)
    assert model.card.backdoored and "Backdoored on purpose" in model.card.done
    assert set(model.card.scores) == {"test", "heldout"} and model.card.scores["test"]["n"] == 64
    assert all(
        torch.equal(value, value.half().float())
        for value in model.net.state_dict().values()
        if value.is_floating_point()
    )


@pytest.mark.parametrize(
    ("poison", "target", "said"),
    [
        (Poison(Flareon(), rate=0.6, mode="any-to-any"), None, "60% of the pictures carried the Flareon trigger of"),
        (Poison(Flareon(), target=1, mode="any-to-one"), 1, "All training pictures of class 1 carried the Flareon"),
        (Poison(InputAware(width=4, mask_epochs=1)), 0, "10% of the pictures carried the InputAware trigger to lead"),
    ],
    ids=["any-to-any", "any-to-one", "learned along"],
)
def test_a_trigger_that_the_training_fits_is_scored_and_described(
    tiny_model: str, poison: Poison, target: int | None, said: str
) -> None:
    recipe = Recipe(Standard(epochs=1, batch_size=32, poison=poison), tiny_model, seed=5)
    compile(recipe.python(), "training", "exec")
    result = finish(recipe.run())
    model: Any = result.model
    assert (model.trigger, model.target, model.mode) == (poison.trigger, target, poison.mode)
    assert said in model.card.done and model.card.done.endswith("Backdoored on purpose.")
    assert ("after/asr/1" in result.figures) == (target is None)
    assert 0 <= result.figures["after/asr"] <= 1


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(Standard(), "arch:no_such_net"), "no_such_net"),
        (Recipe(Standard(), "arch:preact_resnet18?wings=2"), "wings"),
        (Recipe(FGSM(), "TINY", inputs={"images": [5000]}), "images = 5000"),
        (Recipe(FGSM(), "TINY", inputs={"target": 10}), "target = 10"),
        (Recipe(FGSM(), "TINY", inputs={"judge": "TINY"}), "takes no judge"),
        (Recipe(FGSM(), "TINY", inputs={"images": "upload:" + "1" * 64}), "upload it again"),
        (Recipe(BadNets(), "TINY", inputs={"target": 77}), "target = 77"),
        (Recipe(Regional(family="drawn"), "TINY"), "mask"),
        (Recipe(FineTuning(), "/no/such/folder"), "no model"),
    ],
)
def test_what_cannot_run_ends_in_one_sentence(tiny_model: str, recipe: Recipe, said: str) -> None:
    inputs = {name: tiny_model if value == "TINY" else value for name, value in recipe.inputs.items()}
    recipe = recipe.replace(model=tiny_model if recipe.model == "TINY" else recipe.model, inputs=inputs)
    with pytest.raises(ValueError) as caught:
        stages(recipe)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_data_of_other_classes_are_refused_or_judged_by_the_model(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = dataclasses.replace(
        loading.images("scenes", "test"), class_names=tuple(f"animal {name}" for name in "abcdefghij")
    )
    monkeypatch.setattr(loading, "load_data", lambda *_, **__: strange)
    loading.image_sets.clear()
    with pytest.raises(ValueError, match="choose data that the model was trained for"):
        stages(Recipe(FineTuning(), tiny_model))
    result = finish(Recipe(FGSM(), tiny_model, inputs={"images": [0]}).run())
    assert "own answers" in result.notes["labels"]


def test_weights_that_are_no_numbers_end_in_one_sentence(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = load(tiny_model)
    with torch.no_grad():
        broken.net.linear.weight[0, 0] = float("nan")
    monkeypatch.setattr("lab.loading.models.load", lambda ref: broken)
    loading.classifiers.clear()
    with pytest.raises(ValueError, match="not finite"):
        stages(Recipe(FineTuning(), tiny_model, inputs={"n": 10}))


def test_the_key_follows_everything_the_result_depends_on(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(TSBD(), tiny_model)
    variants = [
        recipe,
        recipe.replace(seed=1),
        recipe.replace(data=Scenes(noise=0.1)),
        recipe.replace(method=TSBD(r=0.1)),
        recipe.replace(inputs={"n": 5}),
        Recipe(TSBD(), recipe),
    ]
    found = [each.key() for each in variants]
    assert len(set(found)) == len(found) and all(len(key) == 64 for key in found) and recipe.key() == found[0]
    monkeypatch.setattr(cache_key, "model_sha", lambda ref: "other weights")
    assert recipe.key() != found[0]
    monkeypatch.undo()
    monkeypatch.setattr(cache_key, "VERSION", "9.9")
    assert recipe.key() != found[0]


def test_a_run_whose_batches_did_not_fit_into_memory_goes_on_and_says_so(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(FineTuning(steps=3, batch_size=16), tiny_model, inputs={"n": 30})
    assert "memory" not in finish(recipe.run()).notes
    forward = Classifier.forward

    def narrow(self: Classifier, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and len(x) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return forward(self, x)

    monkeypatch.setattr(Classifier, "forward", narrow)
    result = finish(recipe.run())
    assert "in parts of at most 4 images" in result.notes["memory"] and result.figures["report/micro_batch"] == 4
    assert result.row()["notes"]["memory"] == result.notes["memory"]
    attack = Recipe(PGD(steps=1), recipe, inputs={"images": [0]})
    results.kept.clear()
    assert "at most 4 images" in finish(attack.run()).notes["memory"], "it stands on the run before it"


def test_the_key_follows_the_kind_of_device(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, found = Recipe(TSBD(), tiny_model), set()
    for kind in ("cpu", "cuda", "cuda:1", "mps"):
        monkeypatch.setattr(cache_key, "best_device", lambda kind=kind: torch.device(kind))
        found.add(recipe.key())
    assert len(found) == 3, "two GPUs of one machine are one kind"


def test_an_explanation_of_a_class_that_does_not_exist_is_refused(tiny_model: str) -> None:
    with pytest.raises(ValueError, match="target = 99 is not a class of this model"):
        finish(Recipe(GradCAM(), tiny_model, inputs={"images": [0], "target": 99}).run())


def test_nothing_is_computed_where_the_link_before_leaves_no_model(tiny_model: str) -> None:
    chain = Recipe(FineTuning(steps=1), Recipe(GradCAM(), tiny_model, inputs={"images": [0]}))
    stages: list[str] = []
    with pytest.raises(ValueError, match="GradCAM leaves no model"):
        for progress in chain.run():
            stages.append(progress.stage)
    assert "explain" not in stages


def test_live_scores_are_taken_in_steps(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that scored all of them would hold up every page that waits for its end."""
    sizes: list[int] = []
    real = scoring.evaluate

    def noted(model: Any, data: Any, **given: Any) -> Any:
        sizes.append(len(data))
        return real(model, data, **given)

    monkeypatch.setattr(scoring, "PIXELS", 8 * 32 * 32)
    monkeypatch.setattr(scoring, "evaluate", noted)
    monkeypatch.setattr(scoring, "settings", dataclasses.replace(Settings(), live_every=0.0))
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    found = [one for one in stages(Recipe(REPAIRS[0], tiny_model, inputs={"n": 30})) if one.stage == "tune"]
    assert max(sizes) == 8
    scored = next(place for place, one in enumerate(found) if "acc" in one.metrics)
    assert scored >= 4 and {one.step for one in found[scored - 4 : scored + 1]} == {found[scored].step}
    assert all("loss" in one.metrics for one in found)
