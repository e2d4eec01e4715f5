"""The backdoor existence coefficient: its two ends, its formula, the channels it looks at."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.data.modes import stamped
from core.metrics import bec
from core.metrics.bec import existence
from core.metrics.cka import linear_cka
from core.runs import Progress, finish
from core.triggers import BadNets
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import assert_same, snapshot

TRIGGER = BadNets(side=6)


@pytest.fixture(scope="module")
def nets() -> tuple[nn.Module, nn.Module, nn.Module]:
    """Three nets of one architecture that have nothing in common."""
    made = []
    for seed in range(3):
        torch.manual_seed(seed)
        net = TinyNet(channels=16)
        net.bn1.running_mean.uniform_(-0.2, 0.2)
        made.append(net.eval())
    return made[0], made[1], made[2]


def test_one_for_the_backdoored_zero_for_the_clean(nets, colours: ImageSet) -> None:
    _, backdoored, clean = nets
    assert bec(backdoored, backdoored, clean, colours, TRIGGER) == pytest.approx(1)
    assert bec(clean, backdoored, clean, colours, TRIGGER) == pytest.approx(0)


def test_the_formula_by_hand(nets, colours: ImageSet) -> None:
    """One layer after the stem, 32 channels, so the 3 that the trigger moves most."""
    images, triggered = colours.pixels, TRIGGER(colours.pixels)

    def answer(net: TinyNet, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return net.conv2(torch.relu(net.bn1(net.conv1(x))))

    defended, backdoored, clean = nets
    moved = (answer(backdoored, triggered) - answer(backdoored, images)).flatten(2).norm(dim=2).mean(0)
    top = moved.argsort(descending=True)[:3]
    own = answer(backdoored, triggered)[:, top]
    s_d, s_c = (linear_cka(answer(net, triggered)[:, top], own) for net in (defended, clean))
    found = finish(existence(defended, backdoored, clean, colours.images, triggered))
    assert found.value == pytest.approx((s_d - s_c) / (1 - s_c), abs=1e-5)
    assert (found.defended, found.clean) == (pytest.approx(s_d, abs=1e-6), pytest.approx(s_c, abs=1e-6))
    assert (found.images, found.channels, list(found.by_layer)) == (64, 3, ["conv2"])
    assert found.value == pytest.approx(bec(defended, backdoored, clean, colours, TRIGGER), abs=1e-6)
    d, c = (linear_cka(answer(net, triggered)[:, top], own, debiased=True) for net in (defended, clean))
    assert found.debiased == pytest.approx((d - c) / (1 - c), abs=1e-4)


def test_values_outside_zero_and_one_are_not_hidden(nets, colours: ImageSet) -> None:
    other, backdoored, clean = nets
    near = copy.deepcopy(backdoored)
    with torch.no_grad():
        near.conv2.weight.add_(0.02 * torch.randn(near.conv2.weight.shape, generator=torch.Generator().manual_seed(0)))
    assert bec(other, backdoored, near, colours, TRIGGER) < 0
    assert math.isnan(bec(clean, backdoored, backdoored, colours, TRIGGER))


@pytest.mark.parametrize("width, counted", [(8, 1), (16, 1), (32, 3), (64, 6), (128, 12), (256, 25), (512, 51)])
def test_a_tenth_of_the_channels_is_rounded_down(width: int, counted: int, colours: ImageSet) -> None:
    nets = [TinyNet(channels=width // 2).eval() for _ in range(3)]
    found = finish(existence(*nets, colours.images[:8], TRIGGER(colours.pixels[:8])))
    assert found.channels == counted


def test_at_least_one_channel_of_each_layer(nets, colours: ImageSet) -> None:
    found = finish(existence(*nets, colours.images, TRIGGER(colours.pixels), share=0.0))
    assert found.channels == 1


def test_five_hundred_triggered_images_are_compared(nets) -> None:
    data = colour_set(520)
    found = finish(existence(*nets, data.images, stamped(TRIGGER, data)))
    assert found.images == 500


def test_the_models_are_left_as_they_were_at_every_step(nets, colours: ImageSet) -> None:
    before = [snapshot(net) for net in nets]
    stages = []
    for progress in existence(*nets, colours.images, TRIGGER(colours.pixels), size=20):
        assert isinstance(progress, Progress) and torch.is_grad_enabled()
        for net, kept in zip(nets, before, strict=True):
            assert_same(kept, snapshot(net))
        stages.append(progress.stage)
    assert stages == ["channels"] * 4 + ["existence"] * 12


def test_other_architectures_are_refused(nets, colours: ImageSet) -> None:
    with pytest.raises(ValueError, match="one architecture"):
        bec(nets[0], nets[1], TinyNet(channels=8), colours, TRIGGER)
