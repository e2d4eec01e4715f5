"""Which convolution a batch norm belongs to, in nets of both kinds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.networks.bn_conv_pairs import bn_conv_pairs, channel_names
from models.cifar_resnet import CifarResNet
from models.preact_resnet import PreActResNet

PICTURE = torch.zeros(1, 3, 16, 16)


class InPlace(nn.Module):
    """A residual sum written into the convolution's own output, and a convolution that feeds two norms."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        inner = self.conv(torch.relu(self.bn1(x) + self.bn3(x)))
        inner += x
        return self.bn2(inner).mean((2, 3))


def test_post_activation() -> None:
    found = bn_conv_pairs(CifarResNet(n=1), PICTURE)
    assert len(found) == 7
    assert all(norm.replace("bn", "conv") == conv for norm, conv in found.items())


def test_pre_activation_within_a_block_only() -> None:
    found = bn_conv_pairs(PreActResNet(width=4), PICTURE)
    blocks = [f"layer{i}.{j}" for i in range(1, 5) for j in range(2)]
    inside = {f"{block}.bn2": f"{block}.conv1" for block in blocks}
    assert found == inside | {"layer1.0.bn1": "conv1"}  # nothing is added between the stem and the first norm


def test_a_sum_in_place_is_not_the_convolutions_output() -> None:
    assert bn_conv_pairs(InPlace(), PICTURE) == {"bn1": "stem", "bn3": "stem"}


def test_a_norm_called_from_two_places_has_no_pair(trained_net: nn.Module) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.bn = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.bn(self.b(self.bn(self.a(x)))).mean((2, 3))

    assert bn_conv_pairs(Twice(), PICTURE) == {}


def test_every_norm_has_a_name_of_its_own() -> None:
    names = channel_names(InPlace(), PICTURE, ["bn1", "bn2", "bn3"])
    assert names == {"bn1": "stem", "bn2": "bn2", "bn3": "bn3"}


def test_no_hook_is_left_behind(trained_net: nn.Module) -> None:
    bn_conv_pairs(trained_net, PICTURE)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in trained_net.modules())
