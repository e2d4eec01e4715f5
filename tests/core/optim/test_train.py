"""The training loop: what it asks for in a step, when it ends, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.networks.model_state import working_copy
from core.optim.batches import batches, steps_per_epoch
from core.optim.objectives import Metrics, ascent, supervised
from core.optim.schedules import Schedule, constant
from core.optim.train import train_steps
from core.runs import Progress, Run, finish


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def loop(model: nn.Module, data: ImageSet, steps: int = 4, schedule: Schedule | None = None, **parts) -> Run[None]:
    optimiser = torch.optim.SGD(model.parameters(), 0.05)
    stream = batches(data, 16, generator(), flip=True, pad=1)
    return train_steps(model, stream, optimiser, schedule or constant(0.05), steps, generator=generator(), **parts)


def test_no_step_changes_nothing(trained_net: nn.Module, colours: ImageSet) -> None:
    model = working_copy(trained_net)
    finish(loop(model, colours, steps=0))
    assert not model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, trained_net.state_dict()[name]), name


def test_what_it_leaves(trained_net: nn.Module, colours: ImageSet) -> None:
    model, state, calls = working_copy(trained_net), torch.get_rng_state(), []
    for progress in loop(model, colours, after_step=lambda: calls.append(1)):
        assert progress.model is model and model.training
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    assert len(calls) == 4
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_eval_mode_leaves_the_buffers(trained_net: nn.Module, colours: ImageSet) -> None:
    model = working_copy(trained_net)
    assert all(not model.training for _ in loop(model, colours, training=False))
    for name, buffer in trained_net.named_buffers():
        assert torch.equal(buffer, model.get_buffer(name)), name
    assert not torch.equal(model.linear.weight, trained_net.linear.weight)


def test_the_schedule_sets_whatever_it_names(trained_net: nn.Module, colours: ImageSet) -> None:
    model = working_copy(trained_net)
    optimiser = torch.optim.SGD(model.parameters(), 1.0, momentum=0.9)
    seen = []
    for progress in train_steps(
        model, batches(colours, 16, generator(), flip=False, pad=0), optimiser,
        lambda step: {"lr": 0.1 / step, "momentum": 0.5 + step / 10}, 2, generator=generator(),
    ):  # fmt: skip
        seen.append((progress.step, optimiser.param_groups[0]["lr"], optimiser.param_groups[0]["momentum"]))
    assert seen == [(1, 0.1, 0.6), (2, 0.05, 0.7)]


def test_until_ends_before_the_step_is_taken(trained_net: nn.Module, colours: ImageSet) -> None:
    model, passes = working_copy(trained_net), []

    def enough(metrics: Metrics) -> bool:
        passes.append(metrics["loss"])
        return len(passes) == 3

    steps = list(loop(model, colours, until=enough))
    twice = working_copy(trained_net)
    finish(loop(twice, colours, steps=2))
    assert [progress.step for progress in steps] == [1, 2]
    assert torch.equal(model.linear.weight, twice.linear.weight)
    assert not model.training


def test_an_early_stop_closes_the_run(trained_net: nn.Module, colours: ImageSet) -> None:
    """What acts from outside wraps the loop: no callback is needed."""

    def until_two(model: nn.Module) -> Run[None]:
        for progress in loop(model, colours):
            yield progress
            if progress.step == 2:
                break

    model, twice = working_copy(trained_net), working_copy(trained_net)
    assert len(list(until_two(model))) == 2
    assert not model.training and model.linear.weight.grad is None
    finish(loop(twice, colours, steps=2))
    assert torch.equal(model.linear.weight, twice.linear.weight)


def test_metrics_are_looked_at_every_so_often(trained_net: nn.Module, colours: ImageSet) -> None:
    shown: list[Progress] = list(loop(working_copy(trained_net), colours, steps=5, every=2))
    losses = [progress.metrics.get("loss") for progress in shown]
    assert losses[0] is None
    assert losses[1] == losses[2]
    assert losses[3] != losses[4]


def test_divergence_is_one_sentence(trained_net: nn.Module, colours: ImageSet) -> None:
    model = working_copy(trained_net)
    with torch.no_grad():
        model.linear.weight.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"^The loss is no longer finite at step 1 of 4; choose a lower lr\.$"):
        finish(loop(model, colours))


def test_every_pass_drops_the_same_units(colours: ImageSet) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8), nn.Dropout(0.5), nn.Linear(8, 4))
    losses: list[float] = []

    @contextmanager
    def twice(model: nn.Module, one_pass: Callable[[], Metrics]) -> Iterator[Metrics]:
        losses.extend(one_pass()["loss"].item() for _ in range(2))
        yield one_pass()

    finish(loop(model, colours, steps=2, perturbation=twice))
    assert losses[0] == losses[1] and losses[2] == losses[3]
    assert losses[0] != losses[2]


def test_ascent_is_the_opposite_gradient(trained_net: nn.Module, colours: ImageSet) -> None:
    found: list[Tensor] = []
    for objective in (supervised(), ascent(supervised())):
        model = working_copy(trained_net)
        metrics = objective(model, colours.pixels, colours.labels)()
        assert metrics["loss"] > 0
        found.append(model.linear.weight.grad)
    assert torch.equal(found[0], -found[1])


def test_steps_of_an_epoch(colours: ImageSet) -> None:
    assert [steps_per_epoch(colours, size) for size in (16, 20, 64, 100)] == [4, 3, 1, 1]
    assert steps_per_epoch(colours[:0], 16) == 0
