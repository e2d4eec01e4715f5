"""Plain and poisoned training."""

import pytest
import torch
from torch import nn

from core.runs import finish
from core.training import Standard
from core.training.augment import flip_and_shift
from core.triggers import BadNets, Poison, WaNet
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
    from core.gradients import backward

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
