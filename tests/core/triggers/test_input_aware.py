"""InputAware: formulas, networks, and what its optimiser does to a batch."""

import pytest
import torch
from torch import Tensor

from core.runs import finish
from core.triggers import InputAware, Poison, WaNet
from core.triggers.input_aware.input_aware import InputAwareOptimizer, diversity, laid, threshold
from core.triggers.shared.cross import cross_accuracy
from tests.conftest import TinyNet, colour_set

SMALL = InputAware(width=4, mask_epochs=2)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def optimizer_of(trigger: InputAware = SMALL, n: int = 32) -> InputAwareOptimizer:
    return InputAwareOptimizer(trigger, colour_set(n), epochs=2, batch_size=16, generator=generator())


def drawn_trigger() -> InputAware:
    """One whose networks have first weights."""
    return optimizer_of().fitted


def pictures(n: int = 4, size: int = 32) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_threshold_is_a_steep_step_at_one_half() -> None:
    z = torch.linspace(0, 1, 101, dtype=torch.float64)
    steps = threshold(z)
    assert steps[50].item() == pytest.approx(0.5)
    assert (steps.diff() > 0).all() and steps.min() > 0 and steps.max() < 1
    assert steps[40] < 0.02 and steps[60] > 0.98


def test_mask_0_is_the_picture_and_mask_1_the_pattern() -> None:
    x, p = pictures(4), pictures(4).flip(0)
    assert torch.equal(laid(x, torch.zeros(4, 1, 32, 32), p), x)
    assert torch.allclose(laid(x, torch.ones(4, 1, 32, 32), p), p)
    assert torch.allclose(laid(x, torch.full((4, 1, 32, 32), 0.25), p), x + 0.25 * (p - x), atol=1e-6)


def test_diversity_is_the_mean_ratio_of_distances_without_equal_pairs() -> None:
    x1, x2 = torch.zeros(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    g1, g2 = torch.zeros(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    x2[0], g2[0] = 0.6, 0.2  # ratio 3
    x2[1], g2[1] = 0.5, 0.5  # ratio 1
    g2[2] = 0.9  # equal pictures: left out
    assert diversity(x1, x2, g1, g2).item() == pytest.approx(2, rel=1e-4)
    assert diversity(x1[2:], x2[2:], g1[2:], g2[2:]).item() == 0


def test_diversity_has_a_finite_gradient_where_patterns_coincide() -> None:
    same = torch.full((2, 3, 4, 4), 0.5, requires_grad=True)
    diversity(torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4), same, same * 1.0).backward()
    assert same.grad is not None and same.grad.isfinite().all()


def test_equal_pictures_have_equal_triggers_and_others_do_not() -> None:
    trigger = drawn_trigger()
    one, other = pictures(2)
    patterns = trigger.pattern(torch.stack((one, other, one)))
    assert torch.allclose(patterns[0], patterns[2], atol=1e-6)
    assert (patterns[0] - patterns[1]).abs().max() > 0.01


def test_the_batch_gets_own_triggers_then_those_of_neighbours_then_nothing() -> None:
    data, optimizer = colour_set(20), optimizer_of()
    wanted = torch.full_like(data.labels, 3)
    images, labels = optimizer.poison(data.pixels, data.labels, generator(), wanted=wanted, rate=0.2, mode="all-to-one")
    images, trigger, x = images.detach(), optimizer.fitted, data.pixels
    assert (labels[:4] == 3).all() and torch.equal(labels[4:], data.labels[4:])
    assert torch.allclose(images[:4], trigger(x[:4]), atol=1e-5)
    assert torch.allclose(images[4:8], laid(x[4:8], trigger.mask(x[5:9]), trigger.pattern(x[5:9])), atol=1e-5)
    assert torch.equal(images[8:], x[8:])


@pytest.mark.parametrize("rate", [0.0, 0.9, 1.0])
def test_any_rate_is_survived(rate: float) -> None:
    data, optimizer = colour_set(20), optimizer_of()
    images, _ = optimizer.poison(
        data.pixels, data.labels, generator(), wanted=data.labels, rate=rate, mode="all-to-one"
    )
    if rate:
        images.square().sum().backward()
    optimizer.step()
    assert all(tensor.isfinite().all() for tensor in optimizer.fitted.state.values())


def test_a_step_moves_the_pattern_network_alone() -> None:
    data, optimizer = colour_set(20), optimizer_of()
    before = optimizer.fitted.state
    images, _ = optimizer.poison(data.pixels, data.labels, generator(), wanted=data.labels, rate=0.2, mode="all-to-one")
    images.square().sum().backward()
    optimizer.step()
    moved = {name for name, tensor in optimizer.fitted.state.items() if not torch.equal(tensor, before[name])}
    assert moved and all(name.startswith("pattern.") for name in moved)


def test_the_mask_network_learns_its_density_and_is_then_frozen() -> None:
    optimizer = optimizer_of(InputAware(width=4, mask_epochs=40), n=64)
    steps = list(optimizer.prepare())
    assert [(p.stage, p.step, p.total) for p in steps] == [("mask", i, 160) for i in range(1, 161)]
    assert steps[0].metrics["density"] > 0.2
    assert 0.005 < steps[-1].metrics["density"] < 0.08
    assert not any(parameter.requires_grad for parameter in optimizer.mask.parameters())


def test_the_release_weighs_the_masks_diversity_four_times_as_much() -> None:
    """On pictures normalised by 1/4 the distances, and with them the ratio, are 4 times as large."""
    x1, x2, m1, m2 = (pictures(4).roll(k, 0) for k in range(4))
    assert diversity(4 * x1, 4 * x2, m1, m2).item() == pytest.approx(4 * diversity(x1, x2, m1, m2).item(), rel=1e-5)
    assert diversity(4 * x1, 4 * x2, 4 * m1, 4 * m2).item() == pytest.approx(diversity(x1, x2, m1, m2).item(), rel=1e-5)
    assert InputAware().mask_diversity == 1 and InputAware.paper().mask_diversity == 4
    trained = []
    for knobs in ({"mask_diversity": 4.0}, {"diversity": 4.0}, {}):
        learner = optimizer_of(InputAware(width=4, mask_epochs=1, **knobs))
        finish(learner.prepare())
        trained.append(learner.mask.head.weight.detach())
    assert torch.equal(trained[0], trained[1]) and not torch.equal(trained[0], trained[2])


def test_networks_are_drawn_by_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = drawn_trigger(), drawn_trigger()
    first(pictures())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first.state[name], second.state[name]) for name in first.state)


def test_the_lab_s_state_is_small_and_strangers_are_refused() -> None:
    state = optimizer_of(InputAware()).fitted.state
    assert sum(tensor.numel() * tensor.element_size() for tensor in state.values()) < 1_000_000
    assert all(tensor.dtype == torch.float32 for tensor in state.values())
    with pytest.raises(ValueError, match="width 8"):
        InputAware(width=8).with_state(drawn_trigger().state)
    with pytest.raises(ValueError, match="width 4"):
        SMALL.with_state({"tau": torch.zeros(3)})


@pytest.mark.parametrize("trigger", [drawn_trigger(), WaNet(strength=4.0)], ids=["InputAware", "WaNet"])
def test_a_crossed_picture_does_not_carry_the_trigger_itself(trigger) -> None:
    images = pictures(6)
    made = trigger.crossed(images, generator())
    assert made.shape == images.shape and made.min() >= 0 and made.max() <= 1
    assert ((made - trigger(images)).abs().flatten(1).max(1).values > 1e-3).all()
    assert torch.equal(made, trigger.crossed(images, generator()))


def test_input_aware_crosses_pictures_with_the_trigger_of_another_one() -> None:
    trigger, images = drawn_trigger(), pictures(5)
    made = trigger.crossed(images, generator())
    options = [laid(images, trigger.mask(o), trigger.pattern(o)) for o in (images.roll(k, 0) for k in range(1, 5))]
    assert sum(torch.allclose(made, option, atol=1e-5) for option in options) == 1


def test_cross_accuracy_is_the_share_of_true_labels(trained_net: TinyNet) -> None:
    data = colour_set(41)
    blind = WaNet(strength=0.0)  # a colour survives any warp
    assert cross_accuracy(trained_net, data, blind, size=10) == 1.0
    wrong = colour_set(41)
    wrong.labels[:] = (wrong.labels + 1) % 4
    assert cross_accuracy(trained_net, wrong, blind) == 0.0
    assert 0 <= cross_accuracy(trained_net, data, drawn_trigger()) <= 1
    with pytest.raises(ValueError, match="two pictures"):
        cross_accuracy(trained_net, data[:1], blind)


def test_cross_accuracy_needs_a_wrong_trigger(trained_net: TinyNet) -> None:
    from core.triggers import BadNets

    with pytest.raises(ValueError, match="no wrong trigger"):
        cross_accuracy(trained_net, colour_set(8), BadNets())


def test_the_modes_are_those_of_dirty_labels() -> None:
    assert Poison(SMALL, mode="all-to-all").controls_training
    with pytest.raises(ValueError, match="all-to-one or all-to-all"):
        Poison(SMALL, mode="any-to-any")


def test_finishing_the_preparation_gives_nothing_back() -> None:
    assert finish(optimizer_of().prepare()) is None
