"""Plain VGGs for small images: 3 x 3 convolutions and poolings one after the other, no shortcut.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014 (arXiv 1409.1556),
columns A, B, D and E, as they are used on CIFAR: five poolings take 32 pixels to one. The modules are numbered as in
the common published versions (`features.0`, `features.1`, …, `classifier`), so that their weights fit. `width=64` is
the paper's; 16 or 32 is live on two CPU cores.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn

STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions in each of the five stages, by depth."""

WIDTHS = (1, 2, 4, 8, 8)
"""Channels of each stage, in units of `width`."""

HEADS = ("pool", "flatten")


class CifarVGG(nn.Module):
    """Five stages, each ended by a 2 x 2 max pooling, and a head.

    depth : 11, 13, 16 or 19
    width : channels of the first stage
    batch_norm : a batch norm after each convolution
    head : "pool", the mean of the last map and one linear layer, for any size of at least 32; "flatten", the last map
        as one vector and three linear layers with dropout, for images of `img_size` (a multiple of 32) alone

    Raises ValueError on a depth or head that there is none of, and, with "flatten", on images of another size.
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_chans: int = 3,
        depth: int = 16,
        width: int = 64,
        batch_norm: bool = True,
        head: str = "pool",
        img_size: int = 32,
        drop_rate: float = 0.5,
    ):
        super().__init__()
        if depth not in STAGES or head not in HEADS:
            raise ValueError(f"A VGG has depth {_or(STAGES)} and head {_or(HEADS)}, not {depth} and {head!r}.")
        self.num_classes, self.in_chans, self.num_features = num_classes, in_chans, 8 * width
        self.head, self.side = head, img_size // 32
        self.features = nn.Sequential(*_stages(in_chans, STAGES[depth], width, bool(batch_norm)))
        if head == "pool":
            self.classifier: nn.Module = nn.Linear(self.num_features, num_classes)
        else:
            self.classifier = nn.Sequential(
                nn.Linear(self.num_features * self.side**2, self.num_features), nn.ReLU(), nn.Dropout(drop_rate),
                nn.Linear(self.num_features, self.num_features), nn.ReLU(), nn.Dropout(drop_rate),
                nn.Linear(self.num_features, num_classes),
            )  # fmt: skip
        self.apply(_first_weights)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last map, after its pooling: (N, 8 width, H / 32, W / 32)."""
        return self.features(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        if self.head == "pool":
            pooled = x.mean((2, 3))
            return pooled if pre_logits else self.classifier(pooled)
        if x.shape[2:] != (self.side, self.side):
            raise ValueError(f"This VGG flattens its last map and takes images of {32 * self.side} pixels alone.")
        flat, layers = torch.flatten(x, 1), self.classifier
        return layers[:-1](flat) if pre_logits else layers(flat)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


def _stages(in_chans: int, repeats: tuple[int, ...], width: int, batch_norm: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    inside = in_chans
    for repeat, times in zip(repeats, WIDTHS, strict=True):
        for _ in range(repeat):
            layers.append(nn.Conv2d(inside, times * width, 3, 1, 1))
            inside = times * width
            if batch_norm:
                layers.append(nn.BatchNorm2d(inside))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.MaxPool2d(2))
    return layers


def _first_weights(module: nn.Module) -> None:
    """He et al., 2015: the variance that keeps the signal through many ReLUs, without which no plain VGG learns."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def _or(values: Any) -> str:
    *most, last = map(str, values)
    return f"{', '.join(most)} or {last}"


_CFG = dict(
    input_size=(3, 32, 32), mean=(0.4914, 0.4822, 0.4465), std=(0.247, 0.2435, 0.2616), num_classes=10,
    first_conv="features.0", classifier="classifier",
)
default_cfgs = generate_default_cfgs({f"cifar_vgg{depth}": _CFG for depth in STAGES})


def _vgg(depth: int, pretrained: bool, kwargs: dict[str, Any]) -> CifarVGG:
    return build_model_with_cfg(CifarVGG, f"cifar_vgg{depth}", pretrained, **dict(kwargs, depth=depth))


@register_model
def cifar_vgg11(pretrained: bool = False, **kwargs) -> CifarVGG:
    """VGG-11 for 32-pixel images: 9.2 M parameters with `width=64`."""
    return _vgg(11, pretrained, kwargs)


@register_model
def cifar_vgg13(pretrained: bool = False, **kwargs) -> CifarVGG:
    """VGG-13 for 32-pixel images: 9.4 M parameters with `width=64`."""
    return _vgg(13, pretrained, kwargs)


@register_model
def cifar_vgg16(pretrained: bool = False, **kwargs) -> CifarVGG:
    """VGG-16 for 32-pixel images: 14.7 M parameters with `width=64`."""
    return _vgg(16, pretrained, kwargs)


@register_model
def cifar_vgg19(pretrained: bool = False, **kwargs) -> CifarVGG:
    """VGG-19 for 32-pixel images: 20.0 M parameters with `width=64`."""
    return _vgg(19, pretrained, kwargs)
