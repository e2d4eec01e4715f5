"""The universal perturbation and its gradient-free twin: ball, clip, closed forms, schedule, accepted moves."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from core.attacks.reactivation.square_universal import square_delta
from core.attacks.shared.squares import share_of_pixels, stripes
from core.attacks.shared.universal_delta import Ball, added, rival, targeted, uniform, universal_delta
from core.networks.predictions import predict
from core.runs import finish
from tests.core.attacks.helpers import TwoClassLinear, linear_case


def seek(model: nn.Module, images: Tensor, ball: Ball, *, target: int = 1, seed: int = 0, **given) -> Tensor:
    start = uniform(images.shape[1:], ball.eps, seed)
    models = given.pop("models", [model])
    run = universal_delta(
        models, itertools.repeat(images), given.pop("loss", targeted(target)), ball, start=start, target=target, **given
    )
    return finish(run)


@pytest.mark.parametrize("optimiser", ["sign", "sgd", "momentum"])
def test_delta_is_in_the_ball_and_lowers_the_loss(trained_net: nn.Module, colours, optimiser: str) -> None:
    images, eps = colours.pixels, 0.1
    ball = Ball(eps, 20, optimiser, lr=0.5 if optimiser == "sgd" else 0.05)
    delta = seek(trained_net, images, ball)
    assert delta.shape == (3, 16, 16) and delta.abs().max() <= eps
    start = uniform((3, 16, 16), eps, 0)
    losses = [targeted(1)(predict(trained_net, added(images, d))).mean() for d in (start, delta)]
    assert losses[1] < losses[0]


def test_on_a_linear_model_the_sign_step_finds_the_corner() -> None:
    """Logits (<d, x> + b, 0): class 1 wants x as far against d as the ball allows."""
    model, images, _ = linear_case()
    delta = seek(model, images, Ball(0.02, 60), target=1)
    torch.testing.assert_close(delta, -0.02 * model.slope.detach().sign())


def test_one_sgd_step_in_closed_form() -> None:
    model, images, margins = linear_case()
    ball = Ball(0.5, 1, "sgd", lr=0.1)
    start = torch.zeros(3, 4, 4)
    run = universal_delta([model], itertools.repeat(images), targeted(1), ball, start=start, target=1)
    # d CE / d x = sigmoid(margin) d for target 1
    expected = -0.1 * margins.sigmoid().mean() * model.slope.detach()
    torch.testing.assert_close(finish(run), expected, rtol=0.02, atol=1e-4)


def test_a_clipped_pixel_gives_no_gradient() -> None:
    slope = torch.ones(1, 1, 2)
    model, images = TwoClassLinear(slope, 0.0), torch.tensor([1.0, 0.5]).view(1, 1, 1, 2)
    start = torch.tensor([0.1, 0.1]).view(1, 1, 2)  # the first pixel would leave [0, 1]
    run = universal_delta(
        [model], itertools.repeat(images), targeted(1), Ball(0.5, 1, "sgd", lr=1.0), start=start, target=1
    )
    moved = finish(run) - start
    assert moved[0, 0, 0] == 0 and moved[0, 0, 1] < 0


def test_the_rivals_loss_by_hand() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0], [9.0, 0.0, 0.0]])
    p = logits.softmax(1)
    expected = torch.stack([-(1.0001 - p[0, 2]).log(), -(1.0001 - p[1, 0]).log()])
    torch.testing.assert_close(rival(1)(logits), expected)


def test_an_ensemble_adds_gradients_or_takes_turns() -> None:
    one, images, _ = linear_case()
    other = TwoClassLinear(-3 * one.slope.detach().flip(2), 0.1)
    start = torch.zeros(3, 4, 4)

    def moved(models: list[nn.Module], mode: str, steps: int = 1) -> Tensor:
        config = Ball(0.3, steps, "sgd", lr=0.1)
        return finish(
            universal_delta(models, itertools.repeat(images), targeted(1), config, start=start, target=1, ensemble=mode)
        )

    apart = [moved([net], "avg") for net in (one, other)]
    torch.testing.assert_close(moved([one, other], "avg"), apart[0] + apart[1], rtol=1e-4, atol=1e-6)
    assert torch.equal(moved([one, other], "step"), apart[0])
    assert not torch.equal(moved([one, other], "step", 2), moved([one], "step", 2))


def test_momentum_takes_unit_gradients() -> None:
    ball = Ball(9.0, 1, "momentum", lr=0.5)
    delta, velocity = ball.step(torch.zeros(2), torch.tensor([1.0, 0.0]), torch.tensor([0.0, 4.0]))
    torch.testing.assert_close(velocity, torch.tensor([0.9, 1.0]))
    torch.testing.assert_close(delta, torch.tensor([-0.45, -0.5]))


@pytest.mark.parametrize(
    ("iteration", "share"),
    [(0, 0.1), (10, 0.1), (11, 0.05), (50, 0.05), (51, 0.025), (201, 0.0125), (501, 0.1 / 16), (9999, 0.1 / 512)],
)
def test_the_schedule_of_squares(iteration: int, share: float) -> None:
    assert share_of_pixels(0.1, iteration, 10_000) == pytest.approx(share)


def test_the_schedule_is_stretched() -> None:
    assert share_of_pixels(0.1, 1, 500) == pytest.approx(0.05)
    assert share_of_pixels(0.1, 499, 500) == pytest.approx(0.1 / 512)


def test_stripes_are_vertical_and_of_full_size() -> None:
    found = stripes((3, 5, 8), 0.1, torch.Generator().manual_seed(0))
    assert (found.abs() == torch.tensor(0.1)).all() and torch.equal(found, found[:, :1].expand(3, 5, 8))
    assert len(found[:, 0].unique()) == 2


def test_square_keeps_to_the_corners_and_never_goes_up(trained_net: nn.Module, colours) -> None:
    images, eps = colours.pixels, 0.05
    found = finish(square_delta(trained_net, images, targeted(1), eps=eps, iterations=60, p=0.1, target=1, seed=1))
    assert (found.delta.abs() == torch.tensor(eps)).all()
    assert len(found.losses) > 2 and all(b < a for a, b in itertools.pairwise(found.losses))
    now = targeted(1)(predict(trained_net, added(images, found.delta))).sum().item()
    assert now == pytest.approx(found.losses[-1], rel=1e-5)
    assert found.queries == 61


def test_square_asks_for_scores_only(colours) -> None:
    class Scores(nn.Module):
        """No gradient can pass."""

        def forward(self, x: Tensor) -> Tensor:
            assert not torch.is_grad_enabled()
            return torch.stack([x.mean((1, 2, 3)), 0.9 + 0 * x[:, 0, 0, 0]], 1)

    found = finish(square_delta(Scores(), colours.pixels, targeted(0), eps=0.2, iterations=30, p=0.3, target=0))
    assert found.losses[-1] < found.losses[0]


def test_square_stops_when_all_say_the_target(colours) -> None:
    class Yes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([[0.0, 5.0]]).repeat(len(x), 1)

    steps = list(square_delta(Yes(), colours.pixels, targeted(1), eps=0.1, iterations=50, p=0.1, target=1))
    assert len(steps) == 1 and steps[0].metrics["queries"] == 1 and steps[0].metrics["reached"] == 1


def test_same_seed_same_delta(trained_net: nn.Module, colours) -> None:
    state = torch.get_rng_state()
    images = colours.pixels
    ones = [seek(trained_net, images, Ball(0.05, 5), seed=s) for s in (0, 0, 1)]
    squares = [
        finish(square_delta(trained_net, images, targeted(1), eps=0.05, iterations=5, p=0.1, target=1, seed=s)).delta
        for s in (0, 0, 1)
    ]
    for found in (ones, squares):
        assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    assert torch.equal(state, torch.get_rng_state())
    assert math.isclose(uniform((3, 40, 40), 0.5, 0).abs().max().item(), 0.5, rel_tol=0.01)
