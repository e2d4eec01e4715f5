"""Average-case flatness against its closed formula, and its invariants."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.data.imageset import ImageSet
from core.flatness import AverageFlatness
from core.flatness.robust_loss import RobustLoss
from core.flatness.weights import lengths, movable, on_spheres
from core.metrics.intervals import student
from core.runs import finish
from tests.conftest import TinyNet, colour_set
from tests.core.attacks.helpers import TwoClassLinear

EPS = 0.02


def linear() -> tuple[TwoClassLinear, ImageSet]:
    """A two-class linear model, and pictures far enough from black and white for no change to be cut off."""
    generator = torch.Generator().manual_seed(5)
    images = (0.5 + 0.05 * torch.randn(20, 3, 4, 4, generator=generator)).clamp(0.2, 0.8)
    data = ImageSet((images * 255).round().to(torch.uint8), torch.arange(20) % 2, ("a", "b"))
    return TwoClassLinear(torch.randn(3, 4, 4, generator=generator), 0.1), data


def closed_loss(slope: torch.Tensor, bias: float, data: ImageSet) -> float:
    """mean softplus(-(± <d, x> ± b) + eps ||d||_1): the worst change of a linear model is eps sign(d)."""
    margin = (data.pixels * slope).flatten(1).sum(1) + bias
    margin = torch.where(data.labels == 0, margin, -margin)
    return F.softplus(-margin + EPS * slope.abs().sum()).double().mean().item()


def test_a_linear_model_has_the_flatness_of_the_formula() -> None:
    model, data = linear()
    method = AverageFlatness(xi=0.3, draws=4, eps=EPS, alpha=EPS, steps=3)
    found = finish(method.run(model, data, seed=2))
    slope, generator = model.slope.detach(), torch.Generator().manual_seed(2)
    reference, rises = closed_loss(slope, model.bias, data), []
    for _ in range(4):
        (noise,) = on_spheres([slope], [0.3 * slope.norm().item()], generator)
        rises.append(closed_loss(slope + noise, model.bias, data) - reference)
    assert found.reference == pytest.approx(reference, abs=1e-5)
    assert found.draws == pytest.approx(rises, abs=1e-5)
    assert found.value == pytest.approx(sum(rises) / 4, abs=1e-5) and found.n == 20
    assert found.interval == student(list(found.draws))


def test_a_ball_of_radius_zero_has_flatness_exactly_zero(trained_net: nn.Module) -> None:
    found = finish(AverageFlatness(xi=0.0, draws=2, steps=3).run(trained_net, colour_set(24), seed=1))
    assert found.value == 0 and found.draws == (0, 0)


def test_the_reference_is_the_robust_loss_and_eps_zero_the_clean_one(trained_net: nn.Module) -> None:
    data = colour_set(24)
    found = finish(AverageFlatness(draws=1, steps=3).run(trained_net, data))
    assert found.reference == finish(RobustLoss(steps=3).losses(trained_net, data.pixels, data.labels, 0)).mean
    clean = F.cross_entropy(trained_net(data.pixels), data.labels).item()
    for method in (AverageFlatness(draws=1, steps=3, eps=0.0), AverageFlatness(draws=1, loss="clean")):
        assert finish(method.run(trained_net, data)).reference == pytest.approx(clean, abs=1e-6)
    assert found.reference > clean


def test_more_steps_and_tries_never_lower_the_loss_of_a_picture(trained_net: nn.Module) -> None:
    data = colour_set(24)
    losses = RobustLoss(steps=4).losses
    once, thrice = (finish(losses(trained_net, data.pixels, data.labels, 0, tries)).loss for tries in (1, 3))
    assert (thrice >= once).all() and (thrice > once).any()


def test_offsets_have_the_length_of_their_ball_and_norms_stay() -> None:
    net = TinyNet()
    assert set(movable(net)) == {"conv1.weight", "conv2.weight", "linear.weight", "linear.bias"}
    weights = list(movable(net).values())
    radii = [0.4 * length for length in lengths(weights)]
    for noise, weight in zip(on_spheres(weights, radii, torch.Generator()), weights, strict=True):
        assert noise.norm().item() == pytest.approx(0.4 * weight.norm().item(), rel=1e-5)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(6), nn.GroupNorm(2, 6), nn.LayerNorm([6, 4, 4])])
def test_normalisations_are_told_by_their_type(norm: nn.Module) -> None:
    assert set(movable(nn.Sequential(nn.Conv2d(3, 6, 1), norm))) == {"0.weight", "0.bias"}
    with pytest.raises(ValueError, match="nothing to move"):
        movable(norm)


def test_a_run_that_is_stopped_leaves_the_model_bit_for_bit(trained_net: nn.Module) -> None:
    before = {name: value.clone() for name, value in trained_net.state_dict().items()}
    run = AverageFlatness(draws=2, steps=3).run(trained_net, colour_set(24))
    for _ in range(6):  # in the middle of the first draw
        next(run)
        assert all(torch.equal(value, before[name]) for name, value in trained_net.state_dict().items())
    run.close()
    assert not trained_net.training and not any(p.requires_grad for p in trained_net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in trained_net.state_dict().items())


def test_the_same_seed_gives_the_same_draws_and_another_seed_others(trained_net: nn.Module) -> None:
    data, method = colour_set(16), AverageFlatness(draws=2, steps=2)
    first, again, other = (finish(method.run(trained_net, data, seed=seed)).draws for seed in (3, 3, 4))
    assert first == again and first != other


def test_a_model_that_lacks_the_classes_is_refused_in_a_sentence(trained_net: nn.Module) -> None:
    with pytest.raises(ValueError, match="the model knows 4 classes"):
        finish(AverageFlatness(draws=1).run(trained_net, colour_set(12, classes=6)))


def test_paper_values() -> None:
    paper = AverageFlatness.paper()
    assert (paper.xi, paper.draws, paper.alpha, paper.steps) == (0.5, 10, 0.007, 20)
