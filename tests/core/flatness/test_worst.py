"""Worst-case flatness: joint ascent within the balls."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.flatness import AverageFlatness, WorstFlatness
from core.flatness.weights import movable
from core.flatness.worst import ball
from core.runs import finish
from tests.conftest import colour_set
from tests.core.flatness.test_average import EPS, closed_loss, linear


def test_a_linear_model_loses_what_the_worst_weights_of_the_ball_cost() -> None:
    model, data = linear()
    method = WorstFlatness(xi=0.01, restarts=2, eps=EPS, alpha=EPS / 4, steps=40, weight_step=0.002)
    found = finish(method.run(model, data))
    slope = model.slope.detach().clone().requires_grad_(True)
    radius, offset = 0.01 * slope.norm().item(), torch.zeros_like(slope)
    for _ in range(200):  # ascent on the closed form of the robust loss, which PGD reaches exactly
        at = (slope.detach() + offset).requires_grad_(True)
        margin = (data.pixels * at).flatten(1).sum(1) + model.bias
        margin = torch.where(data.labels == 0, margin, -margin)
        (g,) = torch.autograd.grad(nn.functional.softplus(-margin + EPS * at.abs().sum()).sum(), at)
        offset = ball(offset + 0.1 * radius * g / g.norm(), radius)
    worst = closed_loss(slope.detach() + offset, model.bias, data) - closed_loss(slope.detach(), model.bias, data)
    assert found.value == pytest.approx(worst, rel=0.02)
    assert found.value == max(found.draws) and len(found.draws) == 2


def test_more_restarts_never_lower_it(trained_net: nn.Module) -> None:
    data = colour_set(24)
    values = [finish(WorstFlatness(xi=0.02, restarts=n, steps=3).run(trained_net, data)) for n in (1, 3)]
    assert values[1].draws[:1] == values[0].draws and values[1].value >= values[0].value


@pytest.mark.parametrize("loss", ["robust", "clean"])
def test_a_larger_ball_costs_more_and_worst_exceeds_average(trained_net: nn.Module, loss: str) -> None:
    data, common = colour_set(24), {"loss": loss, "steps": 6}
    small, large = (finish(WorstFlatness(xi=xi, restarts=1, **common).run(trained_net, data)) for xi in (0.01, 0.1))
    average = finish(AverageFlatness(xi=0.1, draws=4, **common).run(trained_net, data))
    assert large.value > small.value and large.value > average.value and large.reference == average.reference


def test_projection_keeps_the_ball_and_leaves_what_is_inside() -> None:
    inside, outside = torch.tensor([0.3, 0.4]), torch.tensor([3.0, 4.0])
    assert torch.equal(ball(inside, 1.0), inside)
    torch.testing.assert_close(ball(outside, 1.0), torch.tensor([0.6, 0.8]))
    assert torch.equal(ball(outside, 0.0), torch.zeros(2))


def test_offsets_stay_in_their_balls_after_every_batch(trained_net: nn.Module, monkeypatch) -> None:
    import core.flatness.worst as worst

    seen = []

    def watched(weights, offsets, real=worst.moved):
        seen.extend((o.norm() / w.norm().clamp_min(1e-12)).item() for w, o in zip(weights, offsets, strict=True))
        return real(weights, offsets)

    monkeypatch.setattr(worst, "moved", watched)
    finish(WorstFlatness(xi=0.02, restarts=1, steps=3).run(trained_net, colour_set(24)))
    assert max(seen) <= 0.02 * (1 + 1e-5) and max(seen) > 0.0199


def test_a_tensor_of_zeros_stays_one_and_a_zero_gradient_is_no_trouble() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4)).eval()
    nn.init.zeros_(net[1].bias)
    found = finish(WorstFlatness(restarts=1, steps=2).run(net, colour_set(12)))
    assert found.value == found.value and not movable(net)["1.bias"].any()


def test_a_stopped_run_leaves_the_model_bit_for_bit(trained_net: nn.Module) -> None:
    before = {name: value.clone() for name, value in trained_net.state_dict().items()}
    run = WorstFlatness(restarts=1, steps=3).run(trained_net, colour_set(24))
    for _ in range(6):
        next(run)
    run.close()
    assert all(torch.equal(value, before[name]) for name, value in trained_net.state_dict().items())
    assert not any(p.requires_grad for p in trained_net.parameters())
