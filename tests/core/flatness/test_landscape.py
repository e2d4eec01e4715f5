"""Landscapes: filter-normalised directions, points from coarse to fine, one attack per point."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.flatness import Landscape
from core.flatness.landscape import coarse_to_fine
from core.flatness.rescaling import rescaled
from core.flatness.robust_loss import RobustLoss
from core.flatness.weights import filter_normalised, movable
from core.runs import finish
from tests.conftest import TinyNet, colour_set

SHORT = {"steps": 2, "points": 2}


def test_the_middle_is_the_robust_loss_and_the_same_in_all_directions(trained_net: nn.Module) -> None:
    data = colour_set(16)
    found = finish(Landscape(directions=3, **SHORT).run(trained_net, data, seed=5))
    robust = finish(RobustLoss(steps=2).losses(trained_net, data.pixels, data.labels, 5))
    assert found.loss.shape == found.accuracy.shape == found.fixed.shape == (1, 3, 5)
    assert found.loss[0, :, 2].tolist() == pytest.approx([robust.mean] * 3, abs=1e-6)
    assert found.fixed[0, :, 2].tolist() == pytest.approx([robust.mean] * 3, abs=1e-6)
    assert found.accuracy[0, 0, 2] == pytest.approx(robust.accuracy)
    assert found.alphas.tolist() == [-1, -0.5, 0, 0.5, 1] and not found.loss.isnan().any()
    assert len(found.loss[0, :, 0].unique()) == 3


def test_each_point_is_attacked_anew_and_old_examples_look_flatter(trained_net: nn.Module) -> None:
    data = colour_set(32)
    found = finish(Landscape(steps=6, points=2, directions=2, eps=0.1, alpha=0.03).run(trained_net, data))
    assert (found.loss >= found.fixed - 0.05).all() and found.loss.mean() > found.fixed.mean()


def test_a_plane_holds_both_slices(trained_net: nn.Module) -> None:
    data = colour_set(12)
    plane = finish(Landscape(shape="plane", points=2, steps=2).run(trained_net, data, seed=1))
    lines = finish(Landscape(directions=2, points=2, steps=2).run(trained_net, data, seed=1))
    assert plane.loss.shape == (1, 3, 3)
    torch.testing.assert_close(plane.loss[0, :, 1], lines.loss[0, 0, ::2])
    torch.testing.assert_close(plane.loss[0, 1, :], lines.loss[0, 1, ::2])


def test_two_models_share_their_directions(trained_net: nn.Module) -> None:
    torch.manual_seed(3)
    data, other = colour_set(12), TinyNet().eval()
    both = finish(Landscape(**SHORT).run(trained_net, data, others=[other, trained_net]))
    alone = finish(Landscape(**SHORT).run(other, data))
    torch.testing.assert_close(both.loss[1], alone.loss[0])
    torch.testing.assert_close(both.loss[2], both.loss[0])


def test_models_of_other_shapes_are_refused_in_a_sentence(trained_net: nn.Module) -> None:
    with pytest.raises(ValueError, match="choose models of one architecture"):
        finish(Landscape(**SHORT).run(trained_net, colour_set(12), others=[TinyNet(channels=4)]))


def test_a_rescaled_network_has_the_same_curve(trained_net: nn.Module) -> None:
    data = colour_set(12)
    twin, *_ = rescaled(trained_net, data.images[:4], 2.0)
    first, second = (finish(Landscape(**SHORT).run(net, data)).loss for net in (trained_net, twin))
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)


def test_directions_have_the_norm_of_each_filter_and_spare_biases() -> None:
    net = TinyNet()
    weights = movable(net)
    for direction, (name, weight) in zip(
        filter_normalised(list(weights.values()), torch.Generator()), weights.items(), strict=True
    ):
        if "bias" in name:
            assert not direction.any()
        else:
            torch.testing.assert_close(direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))


@pytest.mark.parametrize(("points", "rows"), [(1, 1), (5, 2), (10, 1)])
def test_points_come_from_coarse_to_fine_and_each_once(points: int, rows: int) -> None:
    order = list(coarse_to_fine(points, rows, plane=False))
    assert order[0] == (0, points) and len(set(order)) == len(order) == 1 + 2 * points * rows
    assert {tick for _, tick in order[1 : 1 + 2 * rows]} == {0, 2 * points}
    plane = list(coarse_to_fine(points, 2 * points + 1, plane=True))
    assert plane[0] == (points, points) and len(set(plane)) == len(plane) == (2 * points + 1) ** 2
    assert {place for place in plane[:9]} == {(a, b) for a in (0, points, 2 * points) for b in (0, points, 2 * points)}


def test_the_surface_fills_while_it_runs_and_stopping_leaves_the_model(trained_net: nn.Module) -> None:
    before = {name: value.clone() for name, value in trained_net.state_dict().items()}
    known = []
    run = Landscape(**SHORT).run(trained_net, colour_set(12))
    for progress in run:
        if "loss" in progress.images:  # they stay until the next point is there
            known.append(int((~progress.images["loss"].isnan()).sum()))
        if known and known[-1] == 3:
            run.close()
    assert sorted(set(known)) == [1, 2, 3] and known == sorted(known) and known.count(2) > 1
    assert all(torch.equal(value, before[name]) for name, value in trained_net.state_dict().items())
