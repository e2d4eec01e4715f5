"""A BagNet for small images: a network whose answer is the sum of what it makes of small patches.

Brendel and Bethge, "Approximating CNNs with bag-of-local-features models works surprisingly well on ImageNet",
ICLR 2019 (https://openreview.net/forum?id=SkfMWhAqYQ): a residual network in which most 3x3 convolutions are 1x1, so
that a position of the last map sees a patch of a few pixels. Each position is classified on its own and the logits are
the mean, so the evidence map explains the answer exactly. Ours is for 32 pixels: no stride before the second stage.
"""

from __future__ import annotations

import torch.nn.functional as F
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn

from models.pooled_head import CONFIG, PooledHead

FIELDS = {11: ((3, 1), (3, 1), (3, 1)), 17: ((3, 3), (3, 3), (3, 1))}
"""Pixels across that a position sees -> the kernels of the two blocks of each stage, after a 3x3 convolution."""


class LocalBlock(nn.Module):
    """(N, in, H, W) -> (N, out, H / stride, W / stride); a bottleneck of a 1x1, a k x k and a 1x1 convolution."""

    def __init__(self, inside: int, out: int, kernel: int, stride: int):
        super().__init__()
        middle = out // 2
        self.conv1 = nn.Conv2d(inside, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, kernel, stride, kernel // 2, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        changes = stride != 1 or inside != out
        self.shortcut = nn.Conv2d(inside, out, 1, stride, bias=False) if changes else None
        self.bn4 = nn.BatchNorm2d(out) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.bn1(self.conv1(x)))
        inner = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(inner)))))
        if self.shortcut is not None and self.bn4 is not None:
            x = self.bn4(self.shortcut(x))
        return F.relu(x + inner)


class CifarBagNet(PooledHead):
    """Three stages of two blocks; a position of the last map sees `field` pixels across."""

    def __init__(self, num_classes: int = 10, in_chans: int = 3, width: int = 64, field: int = 17):
        super().__init__()
        if field not in FIELDS:
            raise ValueError(f"field = {field!r} is not one of {', '.join(map(str, FIELDS))}.")
        self.num_classes, self.in_chans, self.num_features = num_classes, in_chans, 4 * width
        self.conv1 = nn.Conv2d(in_chans, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inside, stages = width, []
        for stage, kernels in enumerate(FIELDS[field]):
            out = width * 2**stage
            blocks = []
            for i, kernel in enumerate(kernels):
                blocks.append(LocalBlock(inside, out, kernel, 2 if i == 0 < stage else 1))
                inside = out
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3 = stages
        self.linear = nn.Linear(inside, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last convolutional map (N, 4 width, H / 4, W / 4), each position of which has seen its patch alone."""
        x = F.relu(self.bn1(self.conv1(x)))
        return self.layer3(self.layer2(self.layer1(x)))

    def evidence(self, x: Tensor) -> Tensor:
        """What each position says for each class (N, K, H / 4, W / 4); over all positions it adds up to the logits."""
        features = self.forward_features(x)
        said = self.linear(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return said / (features.shape[2] * features.shape[3])


default_cfgs = generate_default_cfgs({"cifar_bagnet": CONFIG})


@register_model
def cifar_bagnet(pretrained: bool = False, **kwargs) -> CifarBagNet:
    """A BagNet for 32-pixel images; `width=64` and `field=17` unless told otherwise."""
    return build_model_with_cfg(CifarBagNet, "cifar_bagnet", pretrained, **kwargs)
