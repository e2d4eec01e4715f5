"""Universal perturbations and patches: size, target, held-out pictures, seeds, controls, closed forms of pasting."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import nn

from core.attacks import UNIVERSALS, Fooled, Patch, Universal
from core.attacks.universal.pasting import pasted, placed, shape_mask
from core.data import ImageSet
from core.networks.predictions import predict
from core.runs import finish
from tests.conftest import colour_set
from tests.core.attacks.helpers import linear_case, two_nets
from tests.core.defenses.test_contract import assert_same, snapshot

SHORT = [
    Universal(passes=3, xi=0.1, batch_size=16), Universal(passes=3, xi=2.0, norm="l2", batch_size=16),
    Universal(how="deepfool", passes=1, xi=0.1), Universal(how="deepfool", passes=1, xi=2.0, norm="l2"),
    Patch(steps=12, batch_size=16, largest=0.6),
]  # fmt: skip
each = pytest.mark.parametrize("attack", SHORT, ids=lambda attack: "-".join(
    [type(attack).__name__, getattr(attack, "how", ""), getattr(attack, "norm", "")]))  # fmt: skip


@pytest.fixture(scope="module")
def halves() -> tuple[ImageSet, ImageSet]:
    data = colour_set(64)
    return data[:32], data[32:]


@each
def test_the_change_keeps_its_size_and_the_model_is_untouched(trained_net: nn.Module, halves, attack) -> None:
    before = snapshot(trained_net)
    found = finish(attack.run(trained_net, halves[0], test=halves[1], seed=1))
    assert_same(before, snapshot(trained_net))
    if isinstance(attack, Patch):
        assert found.change.shape == (3, 10, 10) and found.change.min() >= 0 and found.change.max() <= 1
        assert sorted(found.by_side) == [0.2, 0.3, 0.4, 0.5, 0.6]
    else:
        size = found.change.abs().max() if attack.norm == "linf" else found.change.norm()
        assert 0 < size <= attack.xi + 1e-6
    for change in (found.on, found.blind):
        images = change(halves[1].pixels)
        assert images.min() >= 0 and images.max() <= 1
    assert found.passes and found.passes[-1]["test"] == pytest.approx(found.test.share)
    assert found.test.n == found.control.n == 32


@each
def test_a_seed_draws_the_same_run(trained_net: nn.Module, halves, attack) -> None:
    first, again, other = (
        finish(attack.run(trained_net, halves[0], test=halves[1], target=1, seed=s)).change for s in (3, 3, 4)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


@each
def test_held_out_pictures_have_no_part_in_the_search(trained_net: nn.Module, halves, attack) -> None:
    others = halves[1][:5]
    first, again = (finish(attack.run(trained_net, halves[0], test=t)).change for t in (halves[1], others))
    assert torch.equal(first, again)


@each
def test_labels_have_no_part_in_it_and_success_with_a_target_is_that_target(trained_net, halves, attack) -> None:
    fit, test = (dataclasses.replace(half, labels=torch.zeros_like(half.labels)) for half in halves)
    found = finish(attack.run(trained_net, fit, test=test, target=2, seed=0))
    before = predict(trained_net, test.images).argmax(1)
    after = predict(trained_net, found.on(test.pixels)).argmax(1)
    counted = before != 2
    assert found.test.n == int(counted.sum())
    assert found.test.share == pytest.approx((after[counted] == 2).float().mean().item())


def test_it_fools_more_than_its_control(trained_net: nn.Module, halves) -> None:
    found = finish(Universal(passes=10, xi=0.3, batch_size=16).run(trained_net, halves[0], test=halves[1], target=1))
    assert found.test.share > found.control.share + 0.3
    blind = found.blind(torch.full((1, 3, 16, 16), 0.5))[0] - 0.5
    torch.testing.assert_close(blind.abs(), found.change.abs(), atol=1e-6, rtol=0)
    assert not torch.allclose(blind, found.change)


def test_on_a_linear_model_the_signed_step_reaches_the_corner_and_l2_the_direction() -> None:
    model, images, _ = linear_case()
    data = ImageSet((images * 255).round().to(torch.uint8), torch.zeros(len(images), dtype=torch.int64), ("a", "b"))
    corner = finish(Universal(passes=30, xi=0.02).run(model, data, test=data, target=1)).change
    torch.testing.assert_close(corner, -0.02 * model.slope.detach().sign())
    slope = model.slope.detach()
    way = finish(Universal(passes=30, xi=0.05, norm="l2").run(model, data, test=data, target=1)).change
    torch.testing.assert_close(way, -0.05 * slope / slope.norm(), atol=1e-4, rtol=1e-3)


@each
def test_four_classes_and_two_untrained_nets(attack) -> None:
    for net in two_nets():
        found = finish(attack.run(net, colour_set(16), test=colour_set(16)))
        assert math.isfinite(found.test.share)


def test_no_size_fools_nobody(trained_net: nn.Module, halves) -> None:
    for how in ("sign", "deepfool"):
        found = finish(Universal(how=how, xi=0.0, passes=1).run(trained_net, halves[0], test=halves[1]))
        assert found.change.abs().max() == 0 and found.fit.share == found.test.share == found.control.share == 0


def test_it_stops_once_enough_are_fooled(trained_net: nn.Module, halves) -> None:
    found = finish(Universal(passes=20, xi=0.5, enough=0.1, batch_size=16).run(trained_net, halves[0], test=halves[1]))
    assert len(found.passes) < 20


def test_a_closed_run_leaves_the_model_as_it_was(trained_net: nn.Module, halves) -> None:
    for attack in SHORT:
        before = snapshot(trained_net)
        run = attack.run(trained_net, halves[0], test=halves[1])
        next(run)
        assert torch.is_grad_enabled()
        run.close()
        assert_same(before, snapshot(trained_net))


def test_a_share_counts_what_was_not_of_the_target_before() -> None:
    before, after = torch.tensor([0, 1, 1, 2]), torch.tensor([1, 1, 0, 1])
    assert Fooled(before, after).share == 3 / 4
    assert Fooled(before, after, 1).n == 2 and Fooled(before, after, 1).share == 1
    assert Fooled(before[:0], after[:0]).share == 0


def test_pasting_without_freedom_is_a_copy_of_pixels() -> None:
    images, patch = torch.rand(2, 3, 12, 16), torch.rand(3, 6, 6)
    none = torch.zeros(2)
    theta = placed((12, 16), torch.full((2,), 0.5), none, torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
    found = pasted(images, patch, shape_mask("square", 6), theta)
    expected = images.clone()
    expected[0, :, :6, :6] = patch
    expected[1, :, 6:, 10:] = patch
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    outside = torch.ones(12, 16, dtype=torch.bool)
    outside[:7, :7] = False
    assert torch.equal(found[0][:, outside], images[0][:, outside])


def test_a_quarter_turn_turns_the_patch_and_the_circle_lies_inside() -> None:
    images, patch = torch.zeros(1, 3, 8, 8), torch.rand(3, 8, 8)
    theta = placed((8, 8), torch.ones(1), torch.tensor([math.pi / 2]), torch.zeros(1, 2))
    turned = pasted(images, patch, shape_mask("square", 8), theta)[0]
    ways = [torch.rot90(patch, k, (1, 2)) for k in (1, 3)]
    assert min((turned - way).abs().max().item() for way in ways) < 1e-5
    assert 0.7 < shape_mask("circle", 32).mean() < 0.85


def test_places_do_not_depend_on_how_many_pictures_there_are() -> None:
    images = torch.rand(6, 3, 16, 16)
    paste = Patch().paste(torch.rand(3, 8, 8), seed=5)
    torch.testing.assert_close(paste(images)[:2], paste(images[:2]))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda net, a, b: Patch().paste(torch.rand(3, 8, 8), 0.5, 1.5), "does not fit into it"),
        (lambda net, a, b: Patch().put(a.pixels, torch.rand(3, 8, 8), 1.2, 0, 0, 0), "1.2 times"),
        (lambda net, a, b: Patch(largest=1.5), "largest"),
        (lambda net, a, b: finish(Patch(smallest=0.6, largest=0.5).run(net, a, test=b)), "smallest"),
        (lambda net, a, b: finish(Universal().run(net, a, test=b, target=9)), "target"),
        (lambda net, a, b: finish(Universal().run(net, a[:0], test=b)), "pictures"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(trained_net: nn.Module, halves, run, said: str) -> None:
    with pytest.raises(ValueError, match=said) as told:
        run(trained_net, *halves)
    assert str(told.value).count(". ") == 0


def test_every_universal_attack_has_its_case_here() -> None:
    assert {type(attack) for attack in SHORT} == set(UNIVERSALS)
