"""Adversarial weight perturbation against its formula, by hand, and when a step is stopped."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.networks.model_state import working_copy
from core.optim.awp import AWP, kernels, worst
from core.optim.batches import batches
from core.optim.objectives import Metrics
from core.optim.schedules import constant
from core.optim.train import train_steps
from core.optim.weight_perturbation import after, stepped_at
from core.runs import finish


class Bowl(nn.Module):
    """L = w' H w / 2 of one "layer" of two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[3.0, -4.0]]))
        self.curvature = torch.tensor([[2.0, 1.0], [1.0, 3.0]])

    def one_pass(self) -> Metrics:
        loss = 0.5 * (self.weight @ self.curvature * self.weight).sum()
        loss.backward()
        return {"loss": loss.detach()}


def test_a_step_by_hand() -> None:
    """v = gamma ||w|| g / ||g||; the gradient is that at w + v; w' = (w + v) - lr (gradient + decay (w + v)) - v."""
    model, gamma, lr, decay = Bowl(), 0.1, 0.05, 0.2
    w, h = model.weight.detach().clone(), model.curvature
    g = w @ h  # (2, -9), ||w|| = 5
    torch.testing.assert_close(g, torch.tensor([[2.0, -9.0]]))
    v = gamma * 5.0 * g / 85**0.5
    optimiser = torch.optim.SGD(model.parameters(), lr, weight_decay=decay)
    with AWP(gamma)(model, model.one_pass) as metrics:
        torch.testing.assert_close(model.weight.detach(), w + v)
        torch.testing.assert_close(model.weight.grad, (w + v) @ h)
        optimiser.step()
    expected = w + v - lr * ((w + v) @ h + decay * (w + v)) - v
    torch.testing.assert_close(model.weight.detach(), expected, atol=1e-6, rtol=1e-6)
    assert metrics["loss"].item() == pytest.approx(0.5 * (w @ h * w).sum().item())


def test_each_kernel_has_a_ball_of_its_own(trained_net: nn.Module, colours: ImageSet) -> None:
    """||v_l|| = gamma ||w_l|| for convolutions and the linear layer; norms and biases are not moved."""
    net = working_copy(trained_net).train()
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    with AWP(0.02)(net, lambda: one_pass(net, colours)):
        moved = {name: parameter.detach() - before[name] for name, parameter in net.named_parameters()}
    for name, v in moved.items():
        w = before[name]
        if w.ndim > 1:
            assert v.norm().item() == pytest.approx(0.02 * w.norm().item(), rel=1e-4), name
        else:
            assert not v.any(), name
    assert {len(kernels(net)), sum(v.any().item() for v in moved.values())} == {3}


def one_pass(net: nn.Module, data: ImageSet, factor: float = 1.0) -> Metrics:
    loss = factor * nn.functional.cross_entropy(net(data.pixels), data.labels)
    loss.backward()
    return {"loss": loss.detach()}


def test_the_direction_does_not_depend_on_the_scale_of_the_loss() -> None:
    weights, gradients = [torch.randn(3, 4), torch.randn(5, 2, 3, 3)], [torch.randn(3, 4), torch.randn(5, 2, 3, 3)]
    plain, scaled = (worst(weights, [c * g for g in gradients], 0.01) for c in (1.0, 1000.0))
    for a, b in zip(plain, scaled, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("zero", ["weight", "gradient"])
def test_nothing_to_scale_is_not_a_nan(zero: str) -> None:
    w, g = torch.ones(2, 2), torch.ones(2, 2)
    (v,) = worst([w * (zero != "weight")], [g * (zero != "gradient")], 0.01)
    assert not v.any()


def test_the_loss_rises_to_first_order(trained_net: nn.Module, colours: ImageSet) -> None:
    net = working_copy(trained_net)
    before = one_pass(net, colours)["loss"]
    net.zero_grad(set_to_none=True)
    with AWP(1e-3)(net, lambda: one_pass(net, colours)), torch.no_grad():
        there = nn.functional.cross_entropy(net(colours.pixels), colours.labels)
    assert there > before


def test_the_ascent_leaves_running_statistics_and_the_step_moves_them(
    trained_net: nn.Module, colours: ImageSet
) -> None:
    net = working_copy(trained_net).train()
    with AWP(0.01)(net, lambda: one_pass(net, colours)):
        pass
    assert net.bn1.num_batches_tracked == trained_net.bn1.num_batches_tracked + 1


def weights_after(model: nn.Module, data: ImageSet, perturbation, steps: int = 3, lr: float = 0.05) -> list[Tensor]:
    optimiser = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    generator = torch.Generator().manual_seed(0)
    stream = batches(data, 16, generator, flip=False, pad=0)
    parts = {} if perturbation is None else {"perturbation": perturbation}
    finish(train_steps(model, stream, optimiser, constant(lr), steps, generator=generator, **parts))
    return [tensor.clone() for tensor in model.state_dict().values()]


def test_gamma_of_0_is_the_plain_training_bit_for_bit(trained_net: nn.Module, colours: ImageSet) -> None:
    plain = weights_after(working_copy(trained_net), colours, None)
    same = weights_after(working_copy(trained_net), colours, AWP(0.0))
    other = weights_after(working_copy(trained_net), colours, AWP(0.05))
    assert all(torch.equal(a, b) for a, b in zip(plain, same, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(plain, other, strict=True))


def test_warm_up_is_the_plain_training(trained_net: nn.Module, colours: ImageSet) -> None:
    plain = weights_after(working_copy(trained_net), colours, None)
    for steps, equal in ((3, True), (2, False)):
        warm = weights_after(working_copy(trained_net), colours, after(steps, AWP(0.05)))
        assert all(torch.equal(a, b) for a, b in zip(plain, warm, strict=True)) == equal


def test_a_step_of_no_length_leaves_the_weights_bit_for_bit(trained_net: nn.Module, colours: ImageSet) -> None:
    net = working_copy(trained_net)
    weights_after(net, colours, AWP(0.05), lr=0.0)
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter, trained_net.get_parameter(name)), name


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, RuntimeError("no memory")])
def test_a_stop_in_mid_step_leaves_the_weights_bit_for_bit(
    trained_net: nn.Module, colours: ImageSet, error: BaseException | type[BaseException]
) -> None:
    """At the weights w + v, in the pass or in the optimiser's step itself."""
    for fails_in in ("pass", "step"):
        net, calls = working_copy(trained_net), []

        def fails(net: nn.Module = net, calls: list[int] = calls, fails_in: str = fails_in) -> Metrics:
            calls.append(1)
            if fails_in == "pass" and len(calls) == 2:
                assert not torch.equal(net.conv1.weight, trained_net.conv1.weight)
                raise error
            return one_pass(net, colours)

        with pytest.raises(error if isinstance(error, type) else type(error)), AWP(0.05)(net, fails):
            with torch.no_grad():
                net.conv1.weight.add_(0.1)
            raise error
        for name, parameter in net.named_parameters():
            assert torch.equal(parameter, trained_net.get_parameter(name)), name


def test_what_the_step_made_stays() -> None:
    weight = torch.tensor([1.0, 1e-3])
    with stepped_at([weight], [torch.tensor([1e3, -7.0])]):
        weight.add_(torch.tensor([0.25, 0.5]))
    torch.testing.assert_close(weight, torch.tensor([1.25, 0.501]))


def test_the_papers_value() -> None:
    assert AWP.paper() == AWP(gamma=0.01, warmup=0)
    with pytest.raises(ValueError, match=r"AWP.gamma = -0.1 is out of range"):
        AWP(gamma=-0.1)
