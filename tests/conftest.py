"""What all tests share: small nets, small data, and the offline Hub where it is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet

HUB = Path(__file__).resolve().parents[2] / "shared" / "hub"


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tests run side by side: each takes one thread, since two greedy ones slow each other twentyfold."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_hub() -> Path:
    """A folder in Hub layout with real data and models; the test is skipped where it is absent."""
    if not HUB.is_dir():
        pytest.skip("needs the offline Hub folder (real data and models), which is not on this machine")
    return HUB


class TinyNet(nn.Module):
    """A small convolutional net with batch norm, for contract tests."""

    def __init__(self, classes: int = 4, channels: int = 8):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(2 * channels)
        self.linear = nn.Linear(2 * channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return self.linear(x.mean((2, 3)))


def colour_set(n: int = 64, classes: int = 4, size: int = 16, seed: int = 0) -> ImageSet:
    """Noisy pictures whose class is their mean colour: learnable in a few steps."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % classes
    palette = torch.rand(classes, 3, 1, 1, generator=torch.Generator().manual_seed(7))
    images = palette[labels] + 0.15 * torch.randn(n, 3, size, size, generator=generator)
    names = tuple(f"colour {i}" for i in range(classes))
    return ImageSet((images.clamp(0, 1) * 255).round().to(torch.uint8), labels, names, origin="colours")


@pytest.fixture
def colours() -> ImageSet:
    return colour_set()


@pytest.fixture(scope="session")
def trained_net() -> nn.Module:
    """A TinyNet that has learned `colour_set` (60 steps), in eval mode."""
    torch.manual_seed(0)
    net, data = TinyNet(), colour_set(128)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(data.pixels), data.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net.eval().requires_grad_(False)
