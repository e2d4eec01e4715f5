"""PreAct-ResNet-18 for small images, with a width knob.

He et al., "Identity Mappings in Deep Residual Networks", 2016 (arXiv 1603.05027): batch norm and
ReLU come before each convolution, so that the shortcut is the identity. `width=64` is the network
of the backdoor literature (11.2 M parameters); 16 is live on two CPU cores (0.70 M).
"""

from __future__ import annotations

import torch.nn.functional as F
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn

from models.pooled_head import CONFIG, PooledHead


class PreActBlock(nn.Module):
    """(N, in, H, W) -> (N, out, H / stride, W / stride)."""

    def __init__(self, inside: int, out: int, stride: int):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        changes = stride != 1 or inside != out
        self.shortcut = nn.Conv2d(inside, out, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        kept = x if self.shortcut is None else self.shortcut(active)
        return kept + self.conv2(F.relu(self.bn2(self.conv1(active))))


class PreActResNet(PooledHead):
    """Four stages of two blocks each, global average pooling, one linear layer."""

    def __init__(self, num_classes: int = 10, in_chans: int = 3, width: int = 64, depth: int = 2):
        super().__init__()
        self.num_classes, self.in_chans, self.num_features = num_classes, in_chans, 8 * width
        self.conv1 = nn.Conv2d(in_chans, width, 3, 1, 1, bias=False)
        inside, stages = width, []
        for stage in range(1, 5):
            out = width * 2 ** (stage - 1)
            blocks = [PreActBlock(inside if i == 0 else out, out, 2 if i == 0 < stage - 1 else 1) for i in range(depth)]
            stages.append(nn.Sequential(*blocks))
            inside = out
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn = nn.BatchNorm2d(inside)
        self.linear = nn.Linear(inside, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last convolutional map, after batch norm and ReLU: (N, 8 width, H / 8, W / 8)."""
        x = self.conv1(x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return F.relu(self.bn(x))


default_cfgs = generate_default_cfgs({"preact_resnet18": CONFIG})


@register_model
def preact_resnet18(pretrained: bool = False, **kwargs) -> PreActResNet:
    """PreAct-ResNet-18 for 32-pixel images; `width=64` unless told otherwise."""
    return build_model_with_cfg(PreActResNet, "preact_resnet18", pretrained, **kwargs)
