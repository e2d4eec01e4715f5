"""What every defense in the registry promises, whatever it does inside."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses import DEFENSES
from core.knobs import Method, knobs_of
from core.runs import Progress, finish

SHORT = {
    "steps": 3, "batch_size": 16, "unlearn_steps": 4, "teacher_steps": 2, "candidates": 2, "rounds": 1,
    "epochs": 2, "epoch_steps": 2, "invert_batch": 8, "success": 0.0, "limit": 0.0,
}  # fmt: skip
"""Small values of the knobs that decide how long a run takes."""

DATA_FREE = {"CLP"}
"""Defenses whose repair no image and no seed decides: they take no step that could diverge or run out of memory."""

STATISTICS = {"ANP", "CLP", "RNP"}
"""Defenses that work on the statistics of batch norms."""


def of_data_and_seed(defense: Method) -> None:
    """Skip a data-free defense where the test is about steps on images."""
    if type(defense).__name__ in DATA_FREE:
        pytest.skip("no image decides what it does")


def short(cls: type[Method], **values: object) -> Method:
    names = {k.name for k in knobs_of(cls)}
    return cls(**{name: value for name, value in (SHORT | values).items() if name in names})


@pytest.fixture(params=DEFENSES, ids=lambda cls: cls.__name__)
def defense(request: pytest.FixtureRequest) -> Method:
    return short(request.param)


def snapshot(model: nn.Module) -> dict[str, object]:
    """Everything about a model that a defense must leave as it was."""
    seen: dict[str, object] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name, module in model.named_modules():
        hooks = [len(getattr(module, kind)) for kind in vars(module) if kind.endswith("_hooks")]
        seen[f"module {name}"] = (module.training, hooks, getattr(module, "track_running_stats", None))
    for name, parameter in model.named_parameters():
        seen[f"flag {name}"] = (parameter.requires_grad, parameter.grad is None)
    return seen


def assert_same(before: dict[str, object], after: dict[str, object]) -> None:
    assert before.keys() == after.keys()
    for name, value in before.items():
        same = torch.equal(value, after[name]) if isinstance(value, Tensor) else value == after[name]
        assert same, f"{name} changed"


@pytest.mark.parametrize("training", [False, True])
def test_input_model_is_untouched(
    defense: Method, trained_net: nn.Module, colours: ImageSet, training: bool
) -> None:
    trained_net.train(training)
    before = snapshot(trained_net)
    repaired = finish(defense.run(trained_net, colours))
    assert_same(before, snapshot(trained_net))
    trained_net.eval()
    assert repaired is not trained_net
    assert not repaired.training
    assert all(parameter.grad is None for parameter in repaired.parameters())


def found(repaired: nn.Module) -> list[Tensor]:
    """The weights and the tensors of the report: what was learned, also where a threshold prunes nothing by it."""
    scores = (value for _, value in sorted(repaired.report.items()) if isinstance(value, Tensor))
    return [*repaired.parameters(), *scores]


def test_same_seed_same_result(defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    torch.manual_seed(1)
    one = finish(defense.run(trained_net, colours, seed=3))
    torch.manual_seed(2)
    other = finish(defense.run(trained_net, colours, seed=3))
    assert_same(dict(one.state_dict()), dict(other.state_dict()))
    changed = finish(defense.run(trained_net, colours, seed=4))
    pairs = zip(found(one), found(changed), strict=True)
    same = all(torch.equal(mine, theirs) for mine, theirs in pairs)
    assert same == (type(defense).__name__ in DATA_FREE)


def test_global_random_numbers_are_not_consumed(
    defense: Method, trained_net: nn.Module, colours: ImageSet
) -> None:
    state = torch.get_rng_state()
    finish(defense.run(trained_net, colours))
    assert torch.equal(state, torch.get_rng_state())


def test_yields_outside_every_context(defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    for progress in defense.run(trained_net, colours):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")
        assert isinstance(progress, Progress)
        assert 1 <= progress.step <= progress.total
        assert isinstance(progress.model, nn.Module)
        assert progress.model is not trained_net
        assert all(isinstance(value, float) for value in progress.metrics.values())


def yields_by_stage(defense: Method, model: nn.Module, clean: ImageSet) -> Iterator[int]:
    """The number of the first progress of each stage."""
    stages = set()
    for number, progress in enumerate(defense.run(model, clean), start=1):
        if progress.stage not in stages:
            stages.add(progress.stage)
            yield number


def test_closing_at_any_stage_leaves_everything(
    defense: Method, trained_net: nn.Module, colours: ImageSet
) -> None:
    before, state = snapshot(trained_net), torch.get_rng_state()
    numbers = list(yields_by_stage(defense, trained_net, colours))
    assert numbers
    for number in numbers:
        run = defense.run(trained_net, colours)
        for _ in range(number):
            next(run)
        run.close()
        assert_same(before, snapshot(trained_net))
        assert torch.equal(state, torch.get_rng_state())


def test_a_watcher_may_score_the_model_in_between(
    defense: Method, trained_net: nn.Module, colours: ImageSet
) -> None:
    from core.metrics import evaluate

    alone = finish(defense.run(trained_net, colours))
    run = defense.run(trained_net, colours)
    try:
        while True:
            evaluate(next(run).model, colours[:8])
    except StopIteration as end:
        assert_same(dict(alone.state_dict()), dict(end.value.state_dict()))


def test_report_is_not_in_the_state_dict(defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(defense.run(trained_net, colours))
    assert repaired.report
    assert all(isinstance(value, Tensor | float) for value in repaired.report.values())
    assert repaired.state_dict().keys() == trained_net.state_dict().keys()


def test_dtype_and_shapes_follow_the_model(defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(defense.run(trained_net, colours))
    for mine, theirs in zip(repaired.parameters(), trained_net.parameters(), strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape


def test_dropout_follows_the_seed(defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    model = nn.Sequential(nn.Dropout(0.3), trained_net)
    one = finish(defense.run(model, colours))
    other = finish(defense.run(model, colours))
    assert_same(dict(one.state_dict()), dict(other.state_dict()))


def test_folded_batch_norms_stay_folded(defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    import copy

    folded = copy.deepcopy(trained_net)
    for norm in (folded.bn1, folded.bn2):
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0)
    if type(defense).__name__ in STATISTICS:
        with pytest.raises(ValueError, match="needs batch-norm statistics"):
            finish(defense.run(folded, colours))
        folded.bn2 = copy.deepcopy(trained_net.bn2)
    repaired = finish(defense.run(folded, colours))
    if type(defense).__name__ in STATISTICS:
        assert_same(dict(repaired.bn1.state_dict()), dict(folded.bn1.state_dict()))
        return
    for norm in (repaired.bn1, repaired.bn2):
        assert (norm.running_mean == 0).all()
        assert (norm.running_var == 1).all()


class TestRefusals:
    """One sentence that says what is wrong."""

    def test_weights_that_are_not_finite(
        self, defense: Method, trained_net: nn.Module, colours: ImageSet
    ) -> None:
        import copy

        broken = copy.deepcopy(trained_net)
        broken.conv2.weight[0, 0, 0, 0] = float("nan")
        with pytest.raises(ValueError, match=r"conv2\.weight holds values that are not finite"):
            finish(defense.run(broken, colours))

    def test_too_few_images(self, defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
        with pytest.raises(ValueError, match="7 clean images for 4 classes"):
            finish(defense.run(trained_net, colours[:7]))

    def test_classes_that_do_not_match(self, defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
        three = dataclasses.replace(colours, labels=colours.labels % 3, class_names=colours.class_names[:3])
        with pytest.raises(ValueError, match="4 outputs and images of 3 classes"):
            finish(defense.run(trained_net, three))

    def test_a_loss_that_diverges(self, defense: Method, trained_net: nn.Module, colours: ImageSet) -> None:
        import copy

        of_data_and_seed(defense)
        huge = copy.deepcopy(trained_net)
        huge.linear.weight.fill_(3e38)
        with pytest.raises(ValueError, match="choose a lower lr"):
            finish(short(type(defense), selection="fixed").run(huge, colours))


def test_it_repairs_with_fewer_images_than_a_batch(
    defense: Method, trained_net: nn.Module, colours: ImageSet
) -> None:
    finish(short(type(defense), batch_size=512).run(trained_net, colours[:12]))


def test_out_of_memory_halves_the_batch(
    defense: Method, trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_data_and_seed(defense)
    forward, refused = type(trained_net).forward, []

    def narrow(self: nn.Module, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and len(x) > 8:
            refused.append(len(x))
            raise torch.OutOfMemoryError("test")
        return forward(self, x)

    monkeypatch.setattr(type(trained_net), "forward", narrow)
    finish(defense.run(trained_net, colours))
    assert refused


def test_paper_setting_and_ranges(defense: Method) -> None:
    paper = type(defense).paper()
    for k in knobs_of(paper):
        assert getattr(paper, k.name) == (k.default if k.paper is None else k.paper)
    bounded = next(k for k in knobs_of(paper) if k.low is not None)
    with pytest.raises(ValueError, match=f"{bounded.name} = "):
        type(defense)(**{bounded.name: bounded.kind(bounded.low - 1)})


def test_nobody_hands_a_defense_a_trigger(defense: Method) -> None:
    import inspect

    assert set(inspect.signature(defense.run).parameters) <= {"model", "clean", "seed", "oracle"}
