"""Flareon: the motion of the paper, for one's own class, in the augmentation only."""

import pytest
import torch
from torch import Tensor

from core.metrics import evaluate
from core.triggers import BadNets, Flareon, Poison
from core.triggers.flareon import Motion
from core.triggers.shared.warp import warp
from tests.conftest import TinyNet, colour_set


def pictures(n: int = 4, size: int = 32) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def with_tau(tau: Tensor, **knobs) -> Flareon:
    return Flareon(motion="learned", **knobs).with_state({"tau": tau})


@pytest.mark.parametrize("beta", [1.0, 2.0, 4.0])
def test_tau_is_a_symmetric_beta_of_the_published_spread(beta: float) -> None:
    tau = Flareon(beta=beta).field(0, 128, 128)
    assert tau.shape == (128, 128, 2) and tau.abs().max() <= 1
    assert tau.std().item() == pytest.approx((2 * beta + 1) ** -0.5, rel=0.02)
    assert tau.mean().item() == pytest.approx(0, abs=0.02)
    # The fourth moment of 2 Beta(b, b) - 1.
    assert tau.pow(4).mean().item() == pytest.approx(3 / ((2 * beta + 1) * (2 * beta + 3)), rel=0.05)


def test_tau_of_b_1_is_uniform_and_not_smooth() -> None:
    tau = Flareon().field(3, 128, 128)
    shares = torch.histc(tau, 10, -1, 1) / tau.numel()
    assert torch.allclose(shares, torch.full((10,), 0.1), atol=0.01)
    neighbours = torch.corrcoef(torch.stack((tau[:, 1:].flatten(), tau[:, :-1].flatten())))[0, 1]
    assert abs(neighbours) < 0.03


@pytest.mark.parametrize(("size", "longest"), [(32, 0.484), (64, 0.492)])
def test_no_pixel_moves_by_more_than_half_a_pixel(size: int, longest: float) -> None:
    tau = torch.ones(1, size, size, 2)
    ramp = torch.arange(size, dtype=torch.float32).expand(1, 1, size, size) / size
    moved = (with_tau(tau)(ramp) - ramp)[..., :-1] * size  # the last column is held back by the edge
    assert moved.min().item() == moved.max().item() or torch.allclose(moved, moved[..., :1], atol=1e-4)
    assert moved.max().item() == pytest.approx(longest, abs=5e-4)
    assert Flareon().field(0, size, size).abs().max() * (size - 1) / (2 * size) <= longest + 5e-4


def test_teaching_amplification_multiplies_the_motion() -> None:
    images, tau = pictures(), Flareon().field(0, 32, 32)
    assert torch.equal(Flareon(amplify=3.0)(images), warp(images, 3 * tau[None] / 32))
    assert Flareon.paper().amplify == 1.0


def test_no_motion_is_the_identity_and_a_flat_picture_stays_flat() -> None:
    images = pictures()
    assert (with_tau(torch.zeros(1, 32, 32, 2))(images) - images).abs().max() < 1e-5
    assert (Flareon(amplify=0.0)(images) - images).abs().max() < 1e-5
    flat = torch.full((2, 3, 32, 32), 0.4)
    assert torch.allclose(Flareon(amplify=6.0)(flat), flat, atol=1e-6)


def test_each_picture_is_moved_by_the_field_of_its_target() -> None:
    tau = torch.zeros(4, 32, 32, 2)
    tau[2] = Flareon().field(0, 32, 32)
    images, trigger = pictures(4), with_tau(tau)
    moved = (trigger(images, torch.tensor([0, 2, 3, 2])) - images).abs().flatten(1).max(1).values > 1e-3
    assert moved.tolist() == [False, True, False, True]


def test_fields_differ_by_class_and_by_key_and_need_no_state() -> None:
    images = pictures(1)
    made = [Flareon(key=key)(images, torch.tensor([c])) for key in (0, 1) for c in (0, 1, 9)]
    for i, one in enumerate(made):
        assert all((one - other).abs().max() > 0.05 for other in made[:i])
    assert torch.equal(made[0], Flareon()(images)) and Flareon().state == {}


def test_any_to_any_moves_the_first_share_by_its_own_class_and_keeps_labels() -> None:
    data, poison = colour_set(20), Poison(Flareon(amplify=2.0), rate=0.6, mode="any-to-any")
    images, labels = poison.batch(data.pixels, data.labels, 4, generator())
    assert torch.equal(labels, data.labels)
    assert torch.equal(images[12:], data.pixels[12:])
    assert torch.allclose(images[:12], poison.trigger(data.pixels[:12], data.labels[:12]), atol=1e-6)
    assert (images[:12] - data.pixels[:12]).abs().flatten(1).max(1).values.min() > 0


def test_any_to_one_moves_all_of_the_target_class_by_one_field() -> None:
    data, poison = colour_set(20), Poison(Flareon(), target=2, rate=0.0, mode="any-to-one")
    images, labels = poison.batch(data.pixels, data.labels, 4, generator())
    ours = data.labels == 2
    assert torch.equal(labels, data.labels) and torch.equal(images[~ours], data.pixels[~ours])
    assert torch.allclose(images[ours], poison.trigger(data.pixels[ours]), atol=1e-6)
    assert poison.aim == 2


def test_only_its_own_modes_are_taken() -> None:
    with pytest.raises(ValueError, match="any-to-any or any-to-one"):
        Poison(Flareon())
    with pytest.raises(ValueError, match="BadNets cannot be trained in with mode any-to-any"):
        Poison(BadNets(), mode="any-to-any")
    with pytest.raises(ValueError, match="train with Standard"):
        Poison(Flareon(), mode="any-to-any").stamp(colour_set(8), generator())


def test_it_is_scored_over_all_targets(trained_net: TinyNet) -> None:
    data = colour_set(40)
    scores = evaluate(trained_net, data, trigger=Flareon(), mode="any-to-any")
    assert set(scores.by_target) == {0, 1, 2, 3} and scores.n_asr == 120


def test_learned_motion_follows_the_gradient_and_decays() -> None:
    data = colour_set(16)
    optimizer = Motion(Flareon(motion="learned", lr=0.2), data, "any-to-any", warmup=2)
    assert optimizer.tau.shape == (4, 16, 16, 2)
    before = optimizer.tau.detach().clone()
    images, labels = optimizer.poison(
        data.pixels, data.labels, generator(), wanted=data.labels, rate=0.5, mode="any-to-any"
    )
    assert images.is_leaf and images.requires_grad and torch.equal(labels, data.labels)
    images.square().sum().backward()
    optimizer.step()
    twin = before.clone().requires_grad_()
    optimizer.trigger.move(data.pixels[:8], twin[data.labels[:8]]).square().sum().backward()
    step = 0.2 * (twin.grad + 5e-4 * before)
    assert torch.allclose(optimizer.tau.detach(), (before - step).clamp(-1, 1), atol=1e-5)
    assert twin.grad.abs().max() > 0


@pytest.mark.parametrize(("floor", "warmup"), [(0.1, 0), (20.0, 5)])
def test_after_the_warm_up_or_below_the_floor_the_motion_is_frozen(floor: float, warmup: int) -> None:
    data = colour_set(16)
    optimizer = Motion(Flareon(motion="learned", floor=floor), data, "any-to-any", warmup=warmup)
    # The norm by class and axis of a drawn motion is about sqrt(H W / 3) = 9.2 at 16 pixels, below a floor of 20.
    images, _ = optimizer.poison(data.pixels, data.labels, generator(), wanted=data.labels, rate=0.5, mode="any-to-any")
    assert not images.requires_grad
    before = optimizer.tau.detach().clone()
    optimizer.step()
    assert torch.equal(optimizer.tau, before)


@pytest.mark.parametrize(("mode", "norm"), [("any-to-any", 9.24), ("any-to-one", 13.06)])
def test_the_floor_is_the_norm_by_class_and_axis_or_of_the_one_field(mode: str, norm: float) -> None:
    """sqrt(H W / 3) and sqrt(2 H W / 3) at 16 pixels, for uniform tau."""
    data = colour_set(16)
    for floor, learns in ((norm - 1, True), (norm + 1, False)):
        optimizer = Motion(Flareon(motion="learned", floor=floor), data, mode, warmup=5)
        wanted = torch.zeros_like(data.labels)
        images, _ = optimizer.poison(data.pixels, data.labels, generator(), wanted=wanted, rate=0.5, mode=mode)
        assert images.requires_grad == learns


def test_a_batch_without_the_target_class_passes_as_it_is() -> None:
    data = colour_set(12)
    for trigger in (Flareon(), Flareon(motion="learned")):
        poison = Poison(trigger, target=3, mode="any-to-one")
        optimizer = poison.trigger_optimizer(data, epochs=1, batch_size=4, generator=generator())
        others = data[data.labels != 3]
        images, labels = poison.batch(others.pixels, others.labels, 4, generator(), optimizer)
        assert torch.equal(images, others.pixels) and torch.equal(labels, others.labels)
        if optimizer is not None:
            images.sum().backward()
            optimizer.step()
            assert optimizer.fitted.state["tau"].shape == (1, 16, 16, 2)


def test_the_one_motion_of_any_to_one_ignores_targets() -> None:
    trigger, images = with_tau(Flareon().field(0, 32, 32)[None]), pictures()
    assert torch.equal(trigger(images, torch.tensor([0, 3, 1, 3])), trigger(images))


def test_learned_motion_is_of_one_size_and_so_many_classes() -> None:
    trigger = with_tau(torch.zeros(3, 16, 16, 2))
    with pytest.raises(ValueError, match="16 x 16"):
        trigger(pictures())
    with pytest.raises(ValueError, match="none for class 3"):
        trigger(pictures(1, 16), torch.tensor([3]))
    with pytest.raises(ValueError, match="tau"):
        Flareon(motion="learned").with_state({"mask": torch.zeros(3)})


def test_a_dial_keeps_what_was_learned_and_another_knob_does_not() -> None:
    own = Flareon(motion="learned", amplify=2.0).with_state({"tau": torch.rand(2, 8, 8, 2)})
    turned = Flareon(motion="learned", amplify=1.0).taught_by(own)
    assert turned.amplify == 1.0 and torch.equal(turned.state["tau"], own.state["tau"])
    assert not Flareon(motion="learned", amplify=2.0, lr=1.0).taught_by(own).state


def test_a_motion_that_was_drawn_teaches_nothing_and_the_dial_still_turns():
    assert Flareon(amplify=1.0).taught_by(Flareon(amplify=2.0)) == Flareon(amplify=1.0)
