"""A classifier whose smallest adversarial change is known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TwoClassLinear(nn.Module):
    """Logits (<d, x> + b, 0): class 0 has the margin m(x) = <d, x> + b."""

    def __init__(self, slope: Tensor, bias: float):
        super().__init__()
        self.slope = nn.Parameter(slope)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        first = (x * self.slope).flatten(1).sum(1) + self.bias
        return torch.stack([first, torch.zeros_like(first)], 1)


def linear_case(n: int = 12, size: int = 4) -> tuple[TwoClassLinear, Tensor, Tensor]:
    """(model, images around grey, margins (n,), all positive and spread)."""
    generator = torch.Generator().manual_seed(3)
    slope = torch.randn(3, size, size, generator=generator)
    images = 0.5 + 0.05 * torch.randn(n, 3, size, size, generator=generator)
    raw = (images * slope).flatten(1).sum(1)
    model = TwoClassLinear(slope, float(0.2 - raw.min()))
    return model, images, raw + model.bias


def two_nets() -> tuple[nn.Module, nn.Module]:
    """Two different small convolutional nets of four classes, untrained, in eval mode."""
    nets = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
            nn.Flatten(), nn.Linear(32, 4),
        )
        nets.append(net.eval())
    return nets[0], nets[1]
