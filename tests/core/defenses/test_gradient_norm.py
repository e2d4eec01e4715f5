"""Activeness-aware fine-tuning against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.repairs.tsbd.gradient_norm import GradientNormAware
from core.networks.model_state import working_copy
from core.optim.objectives import Metrics
from core.optim.sgd import SGDConfig, train_with_sgd
from core.optim.weight_perturbation import Perturbation, unperturbed
from core.runs import finish


class Quadratic(nn.Module):
    """L = theta' H theta / 2 for every one of its parameters."""

    def __init__(self, *sizes: int):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.thetas = nn.ParameterList(torch.randn(size, generator=generator) for size in sizes)
        roots = [torch.randn(size, size, generator=generator) for size in sizes]
        self.curvatures = [root @ root.T for root in roots]

    def one_pass(self) -> Metrics:
        pairs = zip(self.thetas, self.curvatures, strict=True)
        loss = sum(0.5 * theta @ curvature @ theta for theta, curvature in pairs)
        loss.backward()
        return {"loss": loss.detach()}


def test_quadratic_loss() -> None:
    """g = (I + alpha r H / ||g1||) g1, the norm taken tensor by tensor."""
    model, r, alpha = Quadratic(5, 3), 0.05, 0.7
    before = [theta.detach().clone() for theta in model.thetas]
    with GradientNormAware(r, alpha)(model, model.one_pass):
        pass
    for theta, curvature, start in zip(model.thetas, model.curvatures, before, strict=True):
        g1 = curvature @ start
        expected = (torch.eye(len(g1)) + alpha * r * curvature / g1.norm()) @ g1
        torch.testing.assert_close(theta.grad, expected, rtol=1e-4, atol=1e-4)
        assert torch.equal(theta, start)


def test_first_order_penalty() -> None:
    """For small r the gradient is that of L + alpha r sum over tensors of ||grad L||."""
    model, r, alpha = Quadratic(4, 2), 1e-3, 0.5
    with GradientNormAware(r, alpha)(model, model.one_pass):
        pass
    norm = 0.0
    for theta, curvature in zip(model.thetas, model.curvatures, strict=True):
        norm = norm + 0.5 * theta @ curvature @ theta + alpha * r * (curvature @ theta).norm()
    expected = torch.autograd.grad(norm, list(model.thetas))
    for theta, gradient in zip(model.thetas, expected, strict=True):
        torch.testing.assert_close(theta.grad, gradient, rtol=1e-3, atol=1e-3)


def test_zero_gradient_is_not_a_nan() -> None:
    model = Quadratic(3)
    with torch.no_grad():
        model.thetas[0].zero_()
    with GradientNormAware(0.05, 0.7)(model, model.one_pass):
        pass
    assert (model.thetas[0].grad == 0).all()


def test_weights_come_back_when_the_second_pass_fails() -> None:
    model = Quadratic(3)
    before = model.thetas[0].detach().clone()
    calls = []

    def fails() -> Metrics:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("test")
        return model.one_pass()

    with pytest.raises(RuntimeError, match="test"), GradientNormAware(0.05, 0.7)(model, fails):
        pass
    assert len(calls) == 2
    assert torch.equal(model.thetas[0], before)


def test_without_radius_or_weight_it_is_plain_fine_tuning(trained_net: nn.Module, colours: ImageSet) -> None:
    config = SGDConfig(3, 16, 0.05, 0.9, 0.0, "constant", True, 2)

    def weights(perturbation: Perturbation) -> list[list[Tensor]]:
        model, every = working_copy(trained_net), []
        generator = torch.Generator().manual_seed(0)
        for _ in train_with_sgd(model, colours, config, generator=generator, perturbation=perturbation):
            every.append([tensor.clone() for tensor in model.state_dict().values()])
        return every

    plain = weights(unperturbed)
    for same in (GradientNormAware(0.0, 0.7), GradientNormAware(0.05, 0.0)):
        for ours, theirs in zip(weights(same), plain, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    other = weights(GradientNormAware(0.05, 0.7))
    assert not all(torch.equal(a, b) for a, b in zip(other[-1], plain[-1], strict=True))


def test_running_statistics_move_once_per_step(trained_net: nn.Module, colours: ImageSet) -> None:
    config = SGDConfig(3, 16, 0.05, 0.9, 0.0, "constant", True, 2)
    model = working_copy(trained_net)
    before = model.bn1.num_batches_tracked.item()
    generator, aware = torch.Generator().manual_seed(0), GradientNormAware(0.05, 0.7)
    finish(train_with_sgd(model, colours, config, generator=generator, perturbation=aware))
    assert model.bn1.num_batches_tracked.item() == before + 3
    assert model.bn1.track_running_stats
