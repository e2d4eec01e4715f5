"""Plain and poisoned training."""

import dataclasses

import pytest
import torch
from torch import nn

from core.optim.augment import flip_and_shift
from core.runs import finish
from core.training import Standard
from core.triggers import BadNets, Flareon, InputAware, Poison, WaNet
from core.triggers.flareon import Motion
from tests.conftest import TinyNet, colour_set

SHORT = Standard(epochs=3, batch_size=16, lr=0.05, flip=False, pad=0)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return TinyNet()


def test_it_learns_and_leaves_the_model_it_was_given() -> None:
    model, data = fresh(), colour_set(64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = finish(Standard(epochs=12, batch_size=16, lr=0.05).run(model, data))
    assert (result(data.pixels).argmax(1) == data.labels).float().mean() > 0.95
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training and all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not result.training and not any(p.requires_grad for p in result.parameters())


def test_same_seed_same_weights_other_seed_others() -> None:
    def weights(seed: int) -> torch.Tensor:
        return finish(SHORT.run(fresh(), colour_set(64), seed=seed)).linear.weight

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


@pytest.mark.parametrize("trigger", [BadNets(), WaNet(strength=4.0)])
def test_a_poisoned_training_says_what_it_did(trigger) -> None:
    method = Standard(epochs=1, batch_size=16, poison=Poison(trigger, target=1, rate=0.25))
    result = finish(method.run(fresh(), colour_set(64)))
    assert (result.trigger, result.target, result.mode) == (trigger, 1, "all-to-one")
    assert len(result.poisoned) == (16 if trigger == BadNets() else 0)


LEARNED = [InputAware(width=4, mask_epochs=1), Flareon(motion="learned", amplify=3.0, warmup=1)]


@pytest.mark.parametrize("trigger", LEARNED, ids=lambda t: type(t).__name__)
def test_a_trigger_that_learns_along_comes_back_fitted(trigger) -> None:
    model, data = fresh(), colour_set(64)
    poison = Poison(trigger, target=1, rate=0.5, mode=trigger.modes[0])
    method, state = Standard(epochs=2, batch_size=16, poison=poison), torch.get_rng_state()
    first, second = (finish(method.run(model, data, seed=3)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.trigger == trigger and first.trigger.state and not trigger.state
    assert first.target == (None if first.mode == "any-to-any" else 1)
    for name, tensor in first.trigger.state.items():
        assert torch.equal(tensor, second.trigger.state[name]) and not tensor.requires_grad
    assert torch.equal(first.linear.weight, second.linear.weight)
    other = finish(dataclasses.replace(method, epochs=1).run(model, data, seed=3))
    if isinstance(trigger, InputAware):
        assert any(not torch.equal(first.trigger.state[n], other.trigger.state[n]) for n in other.trigger.state)
    else:  # frozen after its one epoch of warm-up, while the model trains on; the cycle of one epoch is another one
        assert not torch.equal(first.trigger.state["tau"], Motion(trigger, data, "any-to-any", warmup=0).tau)


def test_the_mask_stage_comes_first_and_is_watched() -> None:
    method = Standard(epochs=1, batch_size=16, poison=Poison(InputAware(width=4, mask_epochs=2), rate=0.25))
    run = method.run(fresh(), colour_set(64))
    seen = []
    for progress in run:
        seen.append((progress.stage, progress.step, progress.total))
        assert torch.is_grad_enabled()
    assert seen == [("mask", i, 8) for i in range(1, 9)] + [("train", i, 4) for i in range(1, 5)]


def test_flareon_warps_after_flip_and_shift_and_wanet_before() -> None:
    """A flip of the warped picture is not the warp of the flipped one."""
    data, poison = colour_set(16), Poison(Flareon(amplify=3.0), rate=1.0, mode="any-to-any")
    method = Standard(poison=poison, pad=2)
    made, _ = method._batch(data, torch.arange(16), poison, torch.Generator().manual_seed(5), None)
    moved = flip_and_shift(data.pixels, torch.Generator().manual_seed(5), flip=True, pad=2)
    assert torch.allclose(made, poison.trigger(moved, data.labels), atol=1e-6)
    before, wanet = torch.Generator().manual_seed(5), Poison(WaNet(strength=4.0, cross=0.0), rate=1.0)
    made, _ = method._batch(data, torch.arange(16), wanet, torch.Generator().manual_seed(5), None)
    assert torch.allclose(made, flip_and_shift(wanet.trigger(data.pixels), before, flip=True, pad=2), atol=1e-6)


def test_any_to_any_carries_no_target() -> None:
    poison = Poison(Flareon(), target=2, rate=0.6, mode="any-to-any")
    result = finish(Standard(epochs=1, batch_size=16, poison=poison).run(fresh(), colour_set(64)))
    assert (result.trigger, result.target, result.mode) == (Flareon(), None, "any-to-any")
    assert len(result.poisoned) == 0


def test_memory_trouble_keeps_the_gradient_of_the_pictures() -> None:
    from core.optim.gradients import backward

    class Tight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.room = nn.Linear(3, 4), 99

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) > self.room:
                raise torch.OutOfMemoryError("too much")
            return self.linear(x.mean((2, 3)))

    torch.manual_seed(0)
    model, data, gradients = Tight(), colour_set(20), []
    for room in (99, 6):
        model.room = room
        pixels = data.pixels.requires_grad_()
        backward(model, nn.functional.cross_entropy, pixels, data.labels)
        gradients.append(pixels.grad)
    assert torch.allclose(*gradients, atol=2e-3 * gradients[0].abs().max())


def test_a_clean_training_says_so() -> None:
    result = finish(SHORT.run(fresh(), colour_set(64)))
    assert result.trigger is result.target is result.mode is None


def test_no_epochs_is_the_identity() -> None:
    model, data = fresh(), colour_set(32)
    result = finish(Standard(epochs=0).run(model, data))
    assert torch.allclose(result(data.pixels), model.eval()(data.pixels), atol=1e-6)


def test_progress_is_yielded_outside_of_every_context() -> None:
    run = SHORT.run(fresh(), colour_set(64))
    for expected in range(1, 13):
        progress = next(run)
        assert (progress.stage, progress.step, progress.total) == ("train", expected, 12)
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    run.close()


def test_divergence_is_one_sentence() -> None:
    broken = fresh()
    broken.linear.weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="lower learning rate"):
        finish(SHORT.run(broken, colour_set(64)))


def test_shifts_reflect_and_flips_mirror() -> None:
    images = colour_set(8).pixels
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(flip_and_shift(images, generator, flip=False, pad=0), images)
    mirrored = flip_and_shift(images, generator, flip=True, pad=0)
    same = (mirrored == images).flatten(1).all(1)
    turned = (mirrored == images.flip(3)).flatten(1).all(1)
    assert (same ^ turned).all()
    moved = flip_and_shift(images, generator, flip=False, pad=2)
    padded = nn.functional.pad(images, (2, 2, 2, 2), mode="reflect")
    windows = padded.unfold(2, 16, 1).unfold(3, 16, 1)
    found = (windows == moved[:, :, None, None]).all(-1).all(-1).all(1).flatten(1).any(1)
    assert found.all()


def test_memory_trouble_halves_the_batch_and_keeps_the_gradient() -> None:
    from core.optim.gradients import backward

    class Tight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.room = nn.Linear(3, 4), 99

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) > self.room:
                raise torch.OutOfMemoryError("too much")
            return self.linear(x.mean((2, 3)))

    torch.manual_seed(0)
    model, data, gradients = Tight(), colour_set(20), []
    for room in (99, 6):
        model.room = room
        model.zero_grad()
        backward(model, nn.functional.cross_entropy, data.pixels, data.labels)
        gradients.append(model.linear.weight.grad.clone())
    assert torch.allclose(*gradients, atol=2e-3)
