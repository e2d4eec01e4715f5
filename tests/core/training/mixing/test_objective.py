"""Training on mixed batches, in the one loop."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.optim.objectives import supervised
from core.runs import finish
from core.training import MIXERS, SAM, CutMix, FMix, MixUp, Standard
from core.training.mixing.mixer import Mixer
from core.training.mixing.objective import mixed, mixed_loss
from core.triggers import BadNets, Flareon, InputAware, Poison
from tests.conftest import TinyNet, colour_set

SHORT = Standard(epochs=2, batch_size=16, lr=0.05)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return TinyNet()


def state_of(method: Standard, seed: int = 1, model: nn.Module | None = None) -> list[Tensor]:
    return list(finish(method.run(model or fresh(), colour_set(64), seed=seed)).state_dict().values())


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_lambda_1_is_the_plain_loss() -> None:
    logits, labels = torch.randn(32, 7), torch.arange(32) % 7
    loss = mixed_loss(logits, labels, labels.roll(1), torch.ones(32))
    torch.testing.assert_close(loss, F.cross_entropy(logits, labels))


def test_it_is_the_loss_with_soft_labels_and_linear_in_lambda() -> None:
    logits, own, other = torch.randn(32, 7), torch.randint(7, (32,)), torch.randint(7, (32,))
    lam = torch.rand(32)
    soft = torch.lerp(F.one_hot(other, 7).float(), F.one_hot(own, 7).float(), lam[:, None])
    torch.testing.assert_close(mixed_loss(logits, own, other, lam), F.cross_entropy(logits, soft))


@pytest.mark.parametrize("mixer", MIXERS)
def test_no_mixing_is_plain_training_bit_for_bit(mixer: type[Mixer]) -> None:
    assert same(state_of(dataclasses.replace(SHORT, mix=mixer(alpha=0.0))), state_of(SHORT))
    assert not same(state_of(dataclasses.replace(SHORT, mix=mixer())), state_of(SHORT))


@pytest.mark.parametrize("mixer", MIXERS)
def test_same_seed_same_weights_other_seed_others(mixer: type[Mixer]) -> None:
    method, model = dataclasses.replace(SHORT, mix=mixer()), fresh()
    state = torch.get_rng_state()
    first = state_of(method, model=model)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(first, state_of(method, model=model)) and not same(first, state_of(method, seed=2, model=model))


def test_it_learns() -> None:
    data = colour_set(64)
    result = finish(Standard(epochs=12, batch_size=16, lr=0.05, mix=MixUp()).run(fresh(), data))
    assert (result(data.pixels).argmax(1) == data.labels).float().mean() > 0.9


def test_a_batch_is_mixed_once_for_both_passes_of_sam() -> None:
    """A radius of almost nothing gives the gradient of the one batch again."""
    method = dataclasses.replace(SHORT, mix=FMix())
    plain = state_of(method)
    near = state_of(dataclasses.replace(method, weight_perturbation=SAM(rho=1e-7)))
    for a, b in zip(plain, near, strict=True):
        torch.testing.assert_close(a, b, rtol=0.02, atol=2e-3)


def test_parts_of_a_batch_keep_the_gradient(colours: ImageSet) -> None:
    """Memory for 6 pictures at once: labels, partners and weights are cut with the pictures."""

    class Tight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.room = nn.Linear(3, 4), 99

        def forward(self, x: Tensor) -> Tensor:
            if len(x) > self.room:
                raise torch.OutOfMemoryError("too much")
            return self.linear(x.mean((2, 3)))

    torch.manual_seed(0)
    model, gradients = Tight(), []
    for room in (99, 6):
        model.room = room
        model.zero_grad()
        torch.manual_seed(5)
        mixed(MixUp())(model, colours.pixels, colours.labels)()
        gradients.append(model.linear.weight.grad.clone())
    torch.testing.assert_close(*gradients, atol=2e-3, rtol=1e-2)
    model.zero_grad()
    supervised()(model, colours.pixels, colours.labels)()
    assert not torch.allclose(model.linear.weight.grad, gradients[0], atol=1e-2)


def test_pictures_are_mixed_after_they_are_stamped() -> None:
    poison = Poison(BadNets(), target=1, rate=0.25)
    result = finish(dataclasses.replace(SHORT, mix=CutMix(), poison=poison).run(fresh(), colour_set(64)))
    assert result.trigger == BadNets() and len(result.poisoned) == 16


class TestBadInput:
    def test_only_a_mixer_is_taken(self) -> None:
        with pytest.raises(ValueError, match=r"Standard.mix = SAM\(.* mixes no pictures; give MixUp"):
            Standard(mix=SAM())

    @pytest.mark.parametrize("trigger", [InputAware(width=4, mask_epochs=1), Flareon(motion="learned")], ids=repr)
    def test_a_trigger_that_learns_along_is_refused(self, trigger) -> None:
        method = Standard(epochs=1, mix=FMix(), poison=Poison(trigger, mode=trigger.modes[0]))
        with pytest.raises(ValueError, match=f"^Standard.mix: {type(trigger).__name__} is learned along"):
            finish(method.run(fresh(), colour_set(64)))

    def test_one_picture(self) -> None:
        with pytest.raises(ValueError, match="it needs at least 2, not 1"):
            finish(dataclasses.replace(SHORT, mix=FMix()).run(fresh(), colour_set(64)[:1]))
