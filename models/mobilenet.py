"""MobileNetV2 for small images: inverted residuals around depthwise convolutions.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018 (arXiv 1801.04381). A block expands few
channels to many, filters each alone, and projects back without an activation. For 32 pixels the stem and the first
two stages keep the size, so that the last map is 4 x 4. `width=1` makes 2.2 M parameters.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn

from models.pooled_head import CONFIG, PooledHead

STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
"""Expansion t, channels c, repeats n and first stride s of each stage (table 2, with the strides for 32 pixels)."""

STEM, LAST = 32, 1280


class InvertedResidual(nn.Module):
    """(N, in, H, W) -> (N, out, H / stride, W / stride); the input is added where the shape stays."""

    def __init__(self, inside: int, out: int, stride: int, expansion: int):
        super().__init__()
        hidden = expansion * inside
        self.conv1 = nn.Conv2d(inside, hidden, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv3 = nn.Conv2d(hidden, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.adds = stride == 1 and inside == out

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu6(self.bn1(self.conv1(x)))
        inner = F.relu6(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        return x + inner if self.adds else inner


class CifarMobileNetV2(PooledHead):
    """Stem, seven stages of inverted residuals, a 1 x 1 convolution, global average pooling, one linear layer.

    width : multiplies all channels, which are rounded to multiples of 8
    depth : multiplies the repeats of each stage, rounded up
    output_stride : 8, or 16 to halve the maps in the second stage as well, which makes it four times as fast
    """

    def __init__(
        self, num_classes: int = 10, in_chans: int = 3, width: float = 1.0, depth: float = 1.0, output_stride: int = 8
    ):
        super().__init__()
        if output_stride not in (8, 16):
            raise ValueError(f"A MobileNetV2 for small images has output_stride 8 or 16, not {output_stride}.")
        inside = _scaled(STEM, width)
        self.num_classes, self.in_chans, self.num_features = num_classes, in_chans, _scaled(LAST, width)
        self.conv1 = nn.Conv2d(in_chans, inside, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        blocks = []
        for stage, (expansion, channels, repeats, stride) in enumerate(STAGES, start=1):
            out = _scaled(channels, width)
            first = 2 if stage == 2 and output_stride == 16 else stride
            for i in range(math.ceil(depth * repeats)):
                blocks.append(InvertedResidual(inside, out, first if i == 0 else 1, expansion))
                inside = out
        self.blocks = nn.Sequential(*blocks)
        self.conv2 = nn.Conv2d(inside, self.num_features, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(self.num_features)
        self.linear = nn.Linear(self.num_features, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last convolutional map, after batch norm and ReLU6: (N, 1280 width, H / output_stride, W / …)."""
        x = F.relu6(self.bn1(self.conv1(x)))
        return F.relu6(self.bn2(self.conv2(self.blocks(x))))


def _scaled(channels: int, width: float) -> int:
    """`channels` times `width`, rounded to a multiple of 8 and at least 8."""
    return max(8, int(channels * width + 4) // 8 * 8)


default_cfgs = generate_default_cfgs(
    {"cifar_mobilenetv2": CONFIG | dict(mean=(0.4914, 0.4822, 0.4465), std=(0.247, 0.2435, 0.2616))}
)


@register_model
def cifar_mobilenetv2(pretrained: bool = False, **kwargs) -> CifarMobileNetV2:
    """MobileNetV2 for 32-pixel images; `width=1.0` unless told otherwise."""
    return build_model_with_cfg(CifarMobileNetV2, "cifar_mobilenetv2", pretrained, **kwargs)
