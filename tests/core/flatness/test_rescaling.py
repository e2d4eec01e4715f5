"""The same function with other weights: relative flatness stands still, absolute flatness and the trace do not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.flatness import AverageFlatness, Rescaling, WorstFlatness
from core.flatness.hessian import hessian_trace
from core.flatness.rescaling import rescaled
from core.runs import finish
from tests.conftest import colour_set


def plain() -> nn.Module:
    """Two convolutions with biases and no norm between them."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, 2), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(8, 4),
    ).eval()  # fmt: skip


class Forked(nn.Module):
    """What leaves the first ReLU is used twice, so that scaling the layer before it changes the function."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return self.last((x + torch.tanh(self.second(x))).mean((2, 3)))


@pytest.mark.parametrize("factor", [2.0, 4.0, 0.5])
def test_flatness_is_invariant_and_the_function_is_the_same(trained_net: nn.Module, factor: float) -> None:
    data = colour_set(16)
    for net in (trained_net, plain()):
        twin, first, second = rescaled(net, data.images[:4], factor)
        assert torch.equal(net(data.pixels), twin(data.pixels)), (first, second)
        weight = dict(net.named_parameters())[f"{second}.weight"]
        assert torch.equal(twin.get_submodule(second).weight, weight / factor)
        for method in (AverageFlatness(draws=2, steps=3), WorstFlatness(xi=0.05, restarts=1, steps=3)):
            one, two = (finish(method.run(each, data)) for each in (net, twin))
            assert two.draws == pytest.approx(one.draws, abs=1e-5)


def test_the_layers_are_named_and_the_model_is_left_alone(trained_net: nn.Module) -> None:
    before = {name: value.clone() for name, value in trained_net.state_dict().items()}
    _, first, second = rescaled(trained_net, colour_set(4).images, 3.0)
    assert (first, second) == ("conv1 with bn1", "conv2")
    assert rescaled(plain(), colour_set(4).images, 3.0)[1:] == ("0", "2")
    assert all(torch.equal(value, before[name]) for name, value in trained_net.state_dict().items())


def test_a_network_without_two_such_layers_is_refused_in_a_sentence() -> None:
    forked = Forked()
    for net in (forked, nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4))):
        with pytest.raises(ValueError, match="choose a convolutional network with ReLU"):
            rescaled(net.eval(), colour_set(4).images, 2.0)


def test_ours_stands_still_while_the_absolute_measure_and_the_trace_move(trained_net: nn.Module) -> None:
    found = finish(Rescaling(factor=8.0, draws=2, steps=2, probes=4).run(trained_net, colour_set(24)))
    before, after = found.relative
    assert found.gap < 1e-6 and after.value == pytest.approx(before.value, abs=1e-5)
    assert found.absolute[0].value == before.value and abs(found.absolute[1].value - before.value) > 1e-2
    assert abs(found.trace[1] - found.trace[0]) > 0.1 * abs(found.trace[0])


def test_a_factor_of_one_changes_nothing(trained_net: nn.Module) -> None:
    found = finish(Rescaling(factor=1.0, draws=1, steps=2, probes=1).run(trained_net, colour_set(12)))
    assert found.relative[0] == found.relative[1] == found.absolute[1] and found.trace[0] == found.trace[1]


def test_the_trace_of_a_small_network_is_that_of_its_hessian() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 2)).eval()
    images, labels = torch.rand(6, 1, 2, 2), torch.arange(6) % 2
    values = finish(hessian_trace(net, images, labels, probes=3000))
    names, shapes = zip(*((name, p.shape) for name, p in net.named_parameters()), strict=True)
    flat = torch.cat([p.detach().flatten() for p in net.parameters()])

    def loss(vector: Tensor) -> Tensor:
        pieces = vector.split([shape.numel() for shape in shapes])
        weights = {name: piece.view(shape) for name, piece, shape in zip(names, pieces, shapes, strict=True)}
        return nn.functional.cross_entropy(torch.func.functional_call(net, weights, (images,)), labels)

    exact = torch.autograd.functional.hessian(loss, flat).trace().item()
    assert sum(values) / len(values) == pytest.approx(exact, rel=0.1)
