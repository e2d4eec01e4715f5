"""The CIFAR ResNets of He et al., "Deep Residual Learning", 2015 (arXiv 1512.03385), section 4.2.

Depth 6n + 2, three stages of widths 16, 32, 64, and option A shortcuts: where the width doubles,
every second pixel is kept and zero channels are added on both sides.
"""

from __future__ import annotations

import torch.nn.functional as F
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn

from models.pooled_head import CONFIG, PooledHead


class BasicBlock(nn.Module):
    """(N, in, H, W) -> (N, out, H / stride, W / stride), shortcut without parameters."""

    def __init__(self, inside: int, out: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.stride, self.pad = stride, (out - inside) // 2

    def shortcut(self, x: Tensor) -> Tensor:
        if self.stride == 1 and self.pad == 0:
            return x
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(inner + self.shortcut(x))


class CifarResNet(PooledHead):
    """Three stages of `n` blocks, global average pooling, one linear layer."""

    def __init__(self, num_classes: int = 10, in_chans: int = 3, n: int = 3):
        super().__init__()
        self.num_classes, self.in_chans, self.num_features = num_classes, in_chans, 64
        self.conv1 = nn.Conv2d(in_chans, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inside, stages = 16, []
        for stage, out in enumerate((16, 32, 64), start=1):
            blocks = [BasicBlock(inside if i == 0 else out, out, 2 if i == 0 < stage - 1 else 1) for i in range(n)]
            stages.append(nn.Sequential(*blocks))
            inside = out
        self.layer1, self.layer2, self.layer3 = stages
        self.linear = nn.Linear(64, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last convolutional map (N, 64, H / 4, W / 4)."""
        x = F.relu(self.bn1(self.conv1(x)))
        return self.layer3(self.layer2(self.layer1(x)))


_CFG = CONFIG | dict(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
default_cfgs = generate_default_cfgs({"cifar_resnet20": _CFG, "cifar_resnet32": _CFG})


@register_model
def cifar_resnet20(pretrained: bool = False, **kwargs) -> CifarResNet:
    """ResNet-20: 0.27 M parameters."""
    return build_model_with_cfg(CifarResNet, "cifar_resnet20", pretrained, **dict(kwargs, n=3))


@register_model
def cifar_resnet32(pretrained: bool = False, **kwargs) -> CifarResNet:
    """ResNet-32: 0.46 M parameters."""
    return build_model_with_cfg(CifarResNet, "cifar_resnet32", pretrained, **dict(kwargs, n=5))
