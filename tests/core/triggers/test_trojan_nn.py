"""TrojanNN: the patch's shape and range, the neurons it is made for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.triggers import TrojanNN
from core.triggers.trojan_nn import SHADE, excited, flower, strongest
from tests.conftest import TinyNet
from tests.core.triggers.fitting import driven


@pytest.mark.parametrize("size", [16, 32, 64, 224])
def test_the_flower_covers_its_share_and_stays_inside(size: int) -> None:
    keep = flower(size, size, 0.07)
    assert keep.mean().item() == pytest.approx(0.07, abs=0.02)
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    assert keep[..., 0, :].sum() == keep[..., :, 0].sum() == keep[..., -1, :].sum() == keep[..., -1].sum() == 0
    wide = flower(size, size, 0.3)
    assert wide.mean().item() == pytest.approx(0.3, abs=0.02)


def test_the_strongest_features_are_those_with_the_largest_weights() -> None:
    weight = torch.tensor([[1.0, -5.0, 0.0, 2.0], [1.0, 5.0, 0.5, -2.0]])
    assert strongest(weight, 2).tolist() == [1, 3]
    with pytest.raises(ValueError, match="only 4 features"):
        strongest(weight, 5)


def test_the_patch_excites_its_neurons_and_touches_nothing_else(trained_net: nn.Module, colours: ImageSet) -> None:
    trigger, seen = driven(TrojanNN(steps=40, area=0.2), trained_net, colours)
    patch, keep = trigger.state["patch"], flower(16, 16, 0.2)
    assert patch.shape == (1, 3, 16, 16)
    assert (patch[(keep == 0).expand_as(patch)] == 0).all()
    inside = patch[(keep == 1).expand_as(patch)]
    assert inside.min() >= SHADE - 0.3 - 1e-6 and inside.max() <= SHADE + 0.3 + 1e-6
    losses = [p.metrics["loss"] for p in seen]
    assert min(losses) < losses[0]
    chosen = strongest(trained_net.linear.weight, 2)  # type: ignore[arg-type, union-attr]
    now, before = (excited(trained_net, "linear", chosen, z, 100.0)[0] for z in (patch, SHADE * keep.expand_as(patch)))
    assert now.mean() > before.mean()
    assert (now - 100).square().sum().item() == pytest.approx(min(losses), rel=1e-5)
    images = colours.pixels
    change = trigger(images) - images
    assert (change * (1 - keep) == 0).all() and torch.equal(trigger(images), (images + patch).clamp(0, 1))


def test_the_slope_is_the_gradient_of_the_loss(trained_net: nn.Module) -> None:
    chosen = torch.tensor([0, 3])
    z = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net = TinyNet().double().eval()
    h, slope = excited(net, "linear", chosen, z, 1.0)
    moved = z.clone()
    moved[0, 1, 4, 5] += 1e-5
    later, _ = excited(net, "linear", chosen, moved, 1.0)
    numerical = ((later - 1).square().sum() - (h - 1).square().sum()) / 1e-5
    assert slope[0, 1, 4, 5].item() == pytest.approx(numerical.item(), abs=1e-4)


def test_it_stops_once_the_neurons_have_their_value(trained_net: nn.Module, colours: ImageSet) -> None:
    chosen = strongest(trained_net.linear.weight, 1)  # type: ignore[arg-type, union-attr]
    m0 = (SHADE * flower(16, 16, 0.07)).expand(1, 3, -1, -1)
    value = excited(trained_net, "linear", chosen, m0, 0.0)[0].item()
    _, seen = driven(TrojanNN(neurons=1, value=value, steps=50), trained_net, colours)
    assert len(seen) == 1


def test_neurons_that_feel_nothing_are_named(colours: ImageSet) -> None:
    net = TinyNet()
    with torch.no_grad():
        net.bn2.bias.fill_(-10.0)
    with pytest.raises(ValueError, match="has no effect on the chosen neurons"):
        driven(TrojanNN(), net, colours)
