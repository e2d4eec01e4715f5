"""Fine-Pruning: masks, columns and the rule that stops it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import FinePruning
from core.defenses.repairs.fine_pruning import first, within
from core.networks.model_state import working_copy
from core.networks.penultimate import classifier_of, penultimate
from core.networks.predictions import predict
from core.runs import finish


def test_masks_are_nested() -> None:
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    masks = [first(order, share / 100) for share in range(0, 101, 5)]
    for small, wide in pairwise(masks):
        assert not (small & ~wide).any()
    assert masks[0].sum() == 0
    assert masks[-1].all()


def test_the_last_share_within_the_limit() -> None:
    shares = [0.0, 0.1, 0.2, 0.3, 0.4]
    assert within(shares, [0.9, 0.9, 0.86, 0.7, 0.9], 0.85) == 0.2
    assert within(shares, [0.9] * 5, 0.85) == 0.4
    assert within(shares, [0.9, 0.1, 0.1, 0.1, 0.1], 0.85) == 0.0


def test_pruned_columns_stay_zero(trained_net: nn.Module, colours: ImageSet) -> None:
    method = FinePruning(prune_ratio=0.5, selection="fixed", steps=4, batch_size=16, lr=0.1)
    repaired = finish(method.run(trained_net, colours))
    mask = repaired.report["mask"]
    assert mask.sum() == 8
    assert (repaired.linear.weight[:, mask] == 0).all()
    assert (repaired.linear.weight[:, ~mask] != 0).any()


def test_the_sleepiest_go_first(trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(FinePruning(prune_ratio=0.5, selection="fixed", steps=0).run(trained_net, colours))
    activation, mask = repaired.report["activation"], repaired.report["mask"]
    assert activation[mask].max() <= activation[~mask].min()


def test_pruning_a_dead_feature_changes_no_logit(trained_net: nn.Module, colours: ImageSet) -> None:
    dead = working_copy(trained_net)
    with torch.no_grad():
        dead.bn2.weight[3] = 0.0
        dead.bn2.bias[3] = -1.0
    method = FinePruning(prune_ratio=1 / 16, prune_step=1 / 16, selection="fixed", steps=0)
    repaired = finish(method.run(dead, colours))
    assert repaired.report["mask"].nonzero().flatten().tolist() == [3]
    assert torch.equal(predict(dead, colours.images), predict(repaired, colours.images))


def test_nothing_pruned_and_no_steps_is_the_identity(trained_net: nn.Module, colours: ImageSet) -> None:
    same = finish(FinePruning(prune_ratio=0.0, steps=0).run(trained_net, colours))
    for name, tensor in trained_net.state_dict().items():
        assert torch.equal(tensor, same.state_dict()[name])


def test_clean_rule_keeps_validation_accuracy(trained_net: nn.Module, colours: ImageSet) -> None:
    report = finish(FinePruning(steps=0, tau=0.05).run(trained_net, colours)).report
    assert report["validation/pruned"] >= 0.95 * report["validation/before"]
    assert report["validation/pruned"] == pytest.approx(report["validation/after"])
    assert len(report["curve/share"]) == len(report["curve/accuracy"]) == 100


def test_penultimate_features(trained_net: nn.Module, colours: ImageSet) -> None:
    head = classifier_of(trained_net, colours.images[:2])
    assert head == "linear"
    features = penultimate(trained_net, head, colours.images)
    assert features.shape == (64, 16)
    torch.testing.assert_close(trained_net.linear(features), predict(trained_net, colours.images))


def test_a_model_without_a_linear_classifier_is_refused(colours: ImageSet) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ValueError, match="does not end in a linear layer"):
        finish(FinePruning(steps=1).run(model, colours))
