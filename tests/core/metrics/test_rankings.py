"""Rankings of channels: ranks, ties and overlaps by hand, zeroing on a copy, and TAC as a method."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.metrics.rankings import common, highest, overlap, standing, suspicion, top
from core.metrics.tac import TAC, pairs, trigger_activated_change
from core.networks.channels import without
from core.runs import finish
from tests.core.defenses.test_contract import assert_same, snapshot


def test_overlap_by_hand() -> None:
    oracle = {"a": torch.tensor([9.0, 1.0, 8.0]), "b": torch.tensor([7.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0])}
    assert overlap(oracle, oracle, [0.1, 0.2, 0.5, 1.0]) == [1, 1, 1, 1]
    against = {name: -value for name, value in oracle.items()}
    assert overlap(against, oracle, [0.1, 0.5, 1.0]) == [0, 0, 1]
    half = {"a": torch.tensor([9.0, 0.0, 0.0]), "b": torch.tensor([0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0])}
    assert overlap(half, oracle, [0.1, 0.2]) == [1, 0.5]
    assert overlap(half, oracle, [0.001]) == [1], "at least one channel"


@pytest.mark.parametrize("share", [0.01, 0.1, 0.37, 0.5, 1.0])
def test_a_ranking_that_says_nothing_overlaps_as_a_random_one(share: float) -> None:
    oracle = {"a": torch.randperm(100).float()}
    assert overlap({"a": torch.zeros(100)}, oracle, [share]) == [pytest.approx(share)]
    generator = torch.Generator().manual_seed(0)
    draws = [overlap({"a": torch.rand(100, generator=generator)}, oracle, [share])[0] for _ in range(400)]
    assert sum(draws) / 400 == pytest.approx(share, abs=0.03)


def test_ties_share_the_last_places() -> None:
    assert top(torch.tensor([3.0, 1.0, 1.0, 0.0]), 2).tolist() == [1, 0.5, 0.5, 0]
    assert top(torch.tensor([1.0, 1.0, 1.0, 1.0]), 1).tolist() == [0.25] * 4
    assert top(torch.tensor([1.0, 2.0]), 0).tolist() == [0, 0] and top(torch.tensor([1.0, 2.0]), 9).tolist() == [1, 1]


def test_the_rank_axis_by_hand() -> None:
    found = standing({"a": torch.tensor([5.0, 1.0]), "b": torch.tensor([1.0, 9.0, 7.0])})
    assert torch.allclose(found["a"], torch.tensor([0.5, 0.125]))
    assert torch.allclose(found["b"], torch.tensor([0.125, 1.0, 0.75]))
    assert highest({"a": torch.tensor([5.0, 1.0]), "b": torch.tensor([6.0])}, 2) == [("b", 0), ("a", 0)]


def test_every_report_becomes_a_suspicion() -> None:
    values = torch.tensor([0.2, 1.0, 0.6])
    report: dict[str, object] = {f"{kind}/conv": values for kind in ("nwc", "anp", "rnp", "uclc")}
    report |= {"anp/share": 0.5, "nwcx/conv": values}
    assert torch.equal(suspicion(report, "nwc")["conv"], values)
    for kind in ("anp", "rnp"):
        assert torch.allclose(suspicion(report, kind)["conv"], torch.tensor([0.8, 0.0, 0.4]))
    assert torch.allclose(suspicion(report, "uclc")["conv"], (values - 0.6) / 0.4)
    assert suspicion({}, "nwc") == {} and set(suspicion(report, "anp")) == {"conv"}


def test_only_channels_that_both_know_are_compared() -> None:
    ours, theirs = common({"a": torch.ones(2), "norm": torch.ones(3)}, {"a": torch.zeros(2), "b": torch.zeros(4)})
    assert len(ours) == len(theirs) == 2
    with pytest.raises(ValueError, match="no layer in common"):
        common({"norm": torch.ones(3)}, {"a": torch.ones(3)})


def test_zeroing_changes_those_channels_and_nothing_else(trained_net: nn.Module, colours: ImageSet) -> None:
    before = snapshot(trained_net)
    found = without(trained_net, [("conv2", 3), ("conv2", 5), ("linear", 1)])
    assert_same(before, snapshot(trained_net))
    assert all(not parameter.requires_grad for parameter in found.parameters()) and not found.training
    for name, value in trained_net.state_dict().items():
        changed = (found.state_dict()[name] != value).flatten(1).any(1) if value.ndim > 1 else torch.zeros(1)
        assert changed.nonzero().flatten().tolist() == {"conv2.weight": [3, 5], "linear.weight": [1]}.get(name, [])
    assert (found(colours.pixels)[:, 1] == 0).all(), "weights and bias of that output are zero"
    same = without(trained_net, [])
    assert torch.equal(same(colours.pixels), trained_net(colours.pixels))


@pytest.mark.parametrize("channel", [("conv9", 0), ("conv2", 99), ("conv2", -1), ("bn1", 0), ("", 0)])
def test_a_channel_that_is_not_there_is_one_sentence(trained_net: nn.Module, channel: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match=f"no channel {channel[1]}"):
        without(trained_net, [channel])


@pytest.mark.parametrize("form", ["l2", "l1"])
def test_tac_as_a_method_leaves_the_model_alone(trained_net: nn.Module, colours: ImageSet, form: str) -> None:
    before = snapshot(trained_net)
    images = colours.pixels
    triggered = images.clone()
    triggered[:, :, :4, :4] = 1
    found = finish(TAC(form).run(trained_net, images, triggered))
    assert_same(before, snapshot(trained_net))
    expected = trigger_activated_change(trained_net, images, triggered, form=form)
    assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)
    assert all((value == 0).all() for value in finish(TAC(form).run(trained_net, images, images)).values())
    run = TAC(form).run(trained_net, images, triggered)
    next(run)
    run.close()
    assert_same(before, snapshot(trained_net))


def test_pairs_leave_out_what_is_in_the_wanted_class_already(colours: ImageSet) -> None:
    def bright(images: torch.Tensor, targets: torch.Tensor | None = None) -> torch.Tensor:
        return (images + (0.5 if targets is None else targets.view(-1, 1, 1, 1) / 4)).clamp(0, 1)

    clean, stamped = pairs(colours, trigger=bright, target=1, mode="all-to-one")
    assert len(clean) == len(stamped) == 48
    assert torch.equal(stamped, bright(colours[colours.labels != 1].pixels))
    assert len(pairs(colours, trigger=bright, target=None, mode="all-to-all")[0]) == 64
    clean, stamped = pairs(colours, trigger=bright, target=3, mode="any-to-any")
    assert torch.equal(stamped, (clean.float() / 255 + 0.75).clamp(0, 1)) and len(clean) == 48
    with pytest.raises(ValueError, match="target class already"):
        pairs(colours[colours.labels == 1], trigger=bright, target=1, mode="all-to-one")
