"""Anti-backdoor learning: the trap's sign, the isolation, and what is unlearned."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.metrics import evaluate
from core.optim.objectives import supervised
from core.runs import finish
from core.training import ABL
from core.training.abl import Trapped, losses_of, precision
from core.triggers import BadNets, Poison, WaNet
from tests.conftest import TinyNet, colour_set

POISON = Poison(BadNets(side=4), target=1, rate=0.1)
SHORT = ABL(isolate_epochs=1, epochs=1, unlearn_epochs=1, batch_size=16, share=0.1, flip=False, pad=0)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return TinyNet()


class Level(nn.Module):
    """Logits (theta, 0) for any image."""

    def __init__(self, theta: float):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.theta, torch.zeros(())]).repeat(len(x), 1)


def direction(gamma: float, loss: float) -> float:
    """The trap's gradient over the plain one, at a batch of this loss."""
    model = Level(math.log(math.expm1(loss)))  # CE = log(1 + exp(theta)) for the second class
    gradients = []
    for objective in (supervised(), Trapped(gamma)):
        model.zero_grad(set_to_none=True)
        objective(model, torch.zeros(2, 3, 4, 4), torch.ones(2, dtype=torch.int64))()
        gradients.append(model.theta.grad.item())
    return gradients[1] / gradients[0]


@pytest.mark.parametrize("loss", [0.2, 0.5, 0.9])
def test_flooding_and_local_gradient_ascent_have_the_traps_gradient(loss: float) -> None:
    gamma, theta = 0.5, torch.tensor(loss, requires_grad=True)
    flooded = (theta - gamma).abs() + gamma
    assert flooded.item() >= gamma
    flooded.backward()
    slope = theta.grad.item()  # type: ignore[union-attr]
    theta.grad = None
    ((theta.detach() - gamma).sign() * theta).backward()
    assert slope == theta.grad.item()  # type: ignore[union-attr]
    assert slope in (0.0, direction(gamma, loss))  # at gamma itself either side will do


def test_the_trap_keeps_the_loss_up() -> None:
    data = colour_set(64)

    def last(gamma: float) -> tuple[float, float]:
        method = dataclasses.replace(SHORT, gamma=gamma, isolate_epochs=15, epochs=0, unlearn_epochs=0, lr=0.1)
        result = finish(method.run(fresh(), data))
        return result.report["losses"].mean().item(), result.report["trapped"]

    free, trapped = last(0.0), last(0.8)
    assert free[0] < 0.3 and free[1] == 0.0
    assert trapped[0] > 0.5 and trapped[1] > 0.2


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5])
def test_floor_of_the_share_with_the_lowest_losses_is_isolated(share: float) -> None:
    result = finish(dataclasses.replace(SHORT, share=share).run(fresh(), colour_set(66)))
    assert len(result.isolated) == {0.0: 0, 0.01: 0, 0.1: 6, 0.5: 33}[share]
    losses, chosen = result.report["losses"], torch.zeros(66, dtype=torch.bool)
    chosen[result.isolated] = True
    assert not chosen.any() or losses[chosen].max() <= losses[~chosen].min()


def test_losses_are_those_of_plain_pictures(trained_net: nn.Module, colours: ImageSet) -> None:
    expected = nn.functional.cross_entropy(trained_net(colours.pixels), colours.labels, reduction="none")
    assert torch.allclose(finish(losses_of(trained_net, colours)), expected, atol=1e-5)


def test_precision_of_an_isolation() -> None:
    found = precision(torch.tensor([3, 1, 7, 9]), torch.tensor([1, 2, 3]))
    assert found == {"isolation/precision": 0.5, "isolation/recall": pytest.approx(2 / 3)}
    assert precision(torch.tensor([3]), torch.tensor([], dtype=torch.int64)) == {}


def test_unlearning_raises_the_loss_of_what_was_isolated_only_there() -> None:
    data = colour_set(64)
    base = dataclasses.replace(SHORT, isolate_epochs=4, epochs=4, lr=0.05, unlearn_lr=0.01)
    kept = finish(dataclasses.replace(base, unlearn_epochs=0).run(fresh(), data))
    gone = finish(dataclasses.replace(base, unlearn_epochs=2).run(fresh(), data))
    assert torch.equal(kept.isolated, gone.isolated)
    mine = data[kept.isolated]
    assert finish(losses_of(gone, mine)).mean() > finish(losses_of(kept, mine)).mean()


def test_it_leaves_the_model_says_what_it_did_and_follows_the_seed() -> None:
    model, data = fresh(), colour_set(64)
    before, state = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    method = dataclasses.replace(SHORT, poison=POISON)
    one, two, other = (finish(method.run(model, data, seed=seed)) for seed in (3, 3, 4))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training and torch.equal(state, torch.get_rng_state())
    assert torch.equal(one.linear.weight, two.linear.weight) and not torch.equal(one.linear.weight, other.linear.weight)
    assert (one.trigger, one.target, one.mode, len(one.poisoned)) == (POISON.trigger, 1, "all-to-one", 6)
    assert not one.training and not any(p.requires_grad for p in one.parameters())
    assert {"isolation/precision", "isolation/recall"} <= set(one.report)


def test_stages_come_in_the_papers_order_and_outside_every_context() -> None:
    stages = []
    for progress in SHORT.run(fresh(), colour_set(64)):
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        assert 1 <= progress.step <= progress.total
        stages.append(progress.stage)
    assert list(dict.fromkeys(stages)) == ["trap", "isolate", "train", "unlearn"]


def test_a_trigger_that_would_control_the_training_only_gets_the_data() -> None:
    result = finish(
        dataclasses.replace(SHORT, poison=Poison(WaNet(strength=4.0), rate=0.25)).run(fresh(), colour_set(64))
    )
    assert len(result.poisoned) == 16


def test_only_the_pictures_that_are_not_isolated_are_augmented(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shift in the first stage would move the trigger about, so that it is learned later."""
    moved: list[bool] = []

    def noted(images: torch.Tensor, _generator: torch.Generator, *, flip: bool, pad: int) -> torch.Tensor:
        moved.append(flip or pad > 0)
        return images

    monkeypatch.setattr("core.optim.batches.flip_and_shift", noted)
    run = dataclasses.replace(SHORT, flip=True, pad=2, poison=POISON).run(fresh(), colour_set(64))
    stages = [progress.stage for progress in run if progress.stage != "isolate"]
    assert set(stages) == {"trap", "train", "unlearn"}
    assert moved == [stage == "train" for stage in stages]


def test_what_is_no_poison_is_refused() -> None:
    with pytest.raises(ValueError, match="does not poison data"):
        ABL(poison=BadNets())


def test_a_backdoor_that_is_learned_first_is_isolated() -> None:
    """Noise with hard labels, and a square that gives the label away: the square is learned first."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 200, (400, 3, 16, 16), generator=generator, dtype=torch.uint8)
    data = ImageSet(images, torch.arange(400) % 4, tuple("abcd"))
    method = ABL(
        isolate_epochs=6,
        epochs=0,
        unlearn_epochs=0,
        batch_size=32,
        share=0.05,
        lr=0.05,
        flip=False,
        pad=0,
        poison=POISON,
    )
    result = finish(method.run(fresh(), data))
    assert result.report["isolation/precision"] > 0.8
    assert evaluate(result, data, trigger=POISON.trigger, target=1).asr is not None
