"""Gradients in parts: what a batch gives that does not fit into memory, and what is remembered of it."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.model_state import slower_statistics, working_copy
from core.networks.report import report_of, with_report
from core.optim import gradients
from core.optim.batches import batches
from core.optim.gradients import Fit, backward, fit_of, mean_in_parts
from core.optim.sam import SAM
from core.optim.schedules import constant
from core.optim.train import train_steps
from core.runs import finish
from core.training import Standard
from tests.conftest import TinyNet, colour_set


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a CPU computes in bfloat16, parts would differ by its rounding."""
    monkeypatch.setattr(gradients, "autocast", lambda device: nullcontext())


class Tight(nn.Module):
    """A net without batch norm that has memory for `room` images with gradients: `seen` are the batches that it took.

    It fails late, as a real one does, when part of the work is done.
    """

    def __init__(self, room: int = 10_000) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv, self.linear = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 4)
        self.room, self.seen, self.refused = room, [], []

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.conv(x)).mean((2, 3))
        if torch.is_grad_enabled():
            if len(x) > self.room:
                self.refused.append(len(x))
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            self.seen.append(len(x))
        return self.linear(h)


def gradient(room: int, n: int = 20) -> tuple[Tensor, list[Tensor]]:
    """Loss and gradients of a batch of n by a net with so much room."""
    net, data = Tight(room), colour_set(n)
    loss = backward(net, F.cross_entropy, data.pixels, data.labels)
    return loss, [parameter.grad for parameter in net.parameters()]


@pytest.mark.parametrize("room", [1, 3, 7, 10, 19])
def test_parts_give_the_gradient_of_the_whole(room: int) -> None:
    (loss, whole), (split_loss, split) = gradient(10_000), gradient(room)
    torch.testing.assert_close(split_loss, loss, rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(split, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_gradients_that_were_there_before_are_added_to_once() -> None:
    data, found = colour_set(16), []
    for room in (10_000, 3):
        net = Tight(room)
        for parameter in net.parameters():
            parameter.grad = torch.ones_like(parameter)
        backward(net, F.cross_entropy, data.pixels, data.labels)
        found.append([parameter.grad for parameter in net.parameters()])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_failure_in_a_later_part_leaves_nothing_behind() -> None:
    """The first of two parts fits and the second does not, as when another program takes memory meanwhile."""
    data, (_, whole) = colour_set(16), gradient(10_000, 16)
    net = Tight(8)
    take = net.forward

    def forward(x: Tensor) -> Tensor:
        if net.seen:
            net.room = 4
        return take(x)

    net.forward = forward  # type: ignore[method-assign]
    backward(net, F.cross_entropy, data.pixels, data.labels)
    assert net.refused == [16, 8]
    for parameter, theirs in zip(net.parameters(), whole, strict=True):
        torch.testing.assert_close(parameter.grad, theirs, rtol=1e-4, atol=1e-6)


def test_what_failed_is_not_tried_again() -> None:
    net, data = Tight(5), colour_set(20)
    for _ in range(3):
        backward(net, F.cross_entropy, data.pixels, data.labels)
    assert net.refused == [20, 10] and set(net.seen) == {5} and len(net.seen) == 12
    backward(net, F.cross_entropy, data.pixels[:4], data.labels[:4])
    assert net.seen[-1] == 4
    assert fit_of(net, data.pixels).size == 5
    assert fit_of(Tight(), data.pixels).size is None, "another network has memory of its own"


def test_an_error_of_another_cause_and_one_image_that_does_not_fit_are_raised() -> None:
    data, net = colour_set(4), Tight(0)
    with pytest.raises(torch.OutOfMemoryError):
        backward(net, F.cross_entropy, data.pixels, data.labels)
    with pytest.raises(RuntimeError, match="size of tensor"):
        backward(Tight(), lambda logits, labels: logits + labels.float()[:3], data.pixels, data.labels)

    def broken(x: Tensor) -> list[Tensor]:
        raise RuntimeError("a shape")

    with pytest.raises(RuntimeError, match="a shape"):
        mean_in_parts(broken, data.pixels)


@pytest.mark.parametrize("words", ["CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling", "MPS backend out of memory"])
def test_memory_trouble_that_torch_tells_otherwise_is_known(words: str) -> None:
    fit = Fit()

    def mean(x: Tensor) -> list[Tensor]:
        if len(x) > 4:
            raise RuntimeError(words)
        return [x.mean(0)]

    x = torch.arange(30.0).view(10, 3)
    (found,) = mean_in_parts(mean, x, fit=fit)
    torch.testing.assert_close(found, x.mean(0))
    assert fit.size is not None and fit.size <= 4


def trained(net: nn.Module, steps: int = 6, **parts) -> list:
    """The moments of a training of `net` on batches of 16."""
    generator = torch.Generator().manual_seed(0)
    stream = batches(colour_set(64), 16, generator, flip=True, pad=1)
    optimiser = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    return list(train_steps(net, stream, optimiser, constant(0.1), steps, generator=generator, **parts))


@pytest.mark.parametrize("parts", [{}, {"perturbation": SAM(rho=0.1)}], ids=["plain", "SAM"])
def test_a_training_in_parts_is_the_training_of_whole_batches(parts: dict) -> None:
    whole, tight = Tight(), Tight(5)
    assert not any("micro_batch" in progress.metrics for progress in trained(whole, **parts))
    told = trained(tight, **parts)
    for ours, theirs in zip(tight.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
    assert tight.refused == [16, 8], "once in the whole training"
    assert {progress.metrics["micro_batch"] for progress in told} == {4.0}
    assert report_of(tight) == {"micro_batch": 4.0} and report_of(whole) == {}


def test_a_training_says_so_on_its_model() -> None:
    whole, tight = (finish(Standard(epochs=1, batch_size=16).run(Tight(room), colour_set(64))) for room in (10_000, 8))
    assert report_of(tight) == {"micro_batch": 8.0} and report_of(whole) == {}
    for ours, theirs in zip(tight.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_what_was_said_of_the_original_is_not_said_of_its_copy() -> None:
    told = with_report(with_report(TinyNet(), {"a": 1.0}), {"b": 2.0})
    assert report_of(told) == {"a": 1.0, "b": 2.0} and report_of(working_copy(told)) == {}


def test_running_statistics_move_as_far_in_parts_as_in_one_pass() -> None:
    images, kept = colour_set(64).pixels, []
    for parts in (1, 4):
        torch.manual_seed(0)
        net = TinyNet().train()
        with slower_statistics(net, parts):
            for part in images.tensor_split(parts):
                net(part)
        assert net.bn1.momentum == 0.1
        kept.append(net.bn1.running_mean.clone())
    torch.testing.assert_close(*kept, rtol=0.02, atol=1e-3)
    net = TinyNet().eval()
    with slower_statistics(net, 4):
        assert net.bn1.momentum == 0.1, "in eval mode nothing moves"
