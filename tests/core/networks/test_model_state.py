"""Models are left as they were found."""

import pytest
import torch
from torch import nn

from core.networks.model_state import folded, frozen, require_batch_statistics, train_mode, working_copy
from tests.conftest import TinyNet


def fold(norm: nn.BatchNorm2d) -> None:
    """What a converter leaves: identity statistics and a learned bias."""
    norm.running_mean.zero_()
    norm.running_var.fill_(1)
    norm.bias.data.fill_(0.3)


def test_frozen_puts_modes_and_flags_back_even_after_an_error() -> None:
    net = TinyNet().train()
    net.bn1.eval()
    net.conv1.weight.requires_grad_(False)
    with pytest.raises(RuntimeError), frozen(net):
        assert not net.training and not any(p.requires_grad for p in net.parameters())
        raise RuntimeError
    assert net.training and not net.bn1.training
    assert not net.conv1.weight.requires_grad and net.linear.weight.requires_grad


def test_a_working_copy_shares_nothing() -> None:
    net = TinyNet().requires_grad_(False)
    twin = working_copy(net)
    assert all(p.requires_grad for p in twin.parameters())
    twin.linear.weight.data.zero_()
    assert net.linear.weight.abs().sum() > 0


def test_folded_batch_norms_stay_in_eval_and_fresh_ones_train() -> None:
    fresh = train_mode(TinyNet())
    assert fresh.bn1.training and not folded(fresh.bn1)
    converted = TinyNet()
    fold(converted.bn1)
    train_mode(converted)
    assert not converted.bn1.training and converted.bn2.training


def test_a_method_that_needs_statistics_refuses_a_converted_net() -> None:
    net = TinyNet()
    require_batch_statistics(net, "X")
    fold(net.bn1)
    fold(net.bn2)
    with pytest.raises(ValueError, match="X needs batch-norm statistics"):
        require_batch_statistics(net, "X")
    with pytest.raises(ValueError, match="folded into the convolutions or absent"):
        require_batch_statistics(nn.Linear(2, 2), "X")
    assert torch.equal(net.bn1.running_mean, torch.zeros(8))
