"""The small network that draws a trigger for each picture."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """Images (N, C, H, W) -> (N, `out`, H, W) in [0, 1], by an encoder and a decoder.

    Two halvings down to 4 `width` channels and back, as in the generators of Nguyen and Tran, but smaller. Group
    norms make what it draws for a picture independent of the other pictures of the batch.
    """

    def __init__(self, channels: int, out: int, width: int):
        super().__init__()
        self.first = _block(channels, width)
        self.down = nn.ModuleList([_block(width, 2 * width), _block(2 * width, 4 * width)])
        self.up = nn.ModuleList([_block(4 * width, 2 * width), _block(2 * width, width)])
        self.head = nn.Conv2d(width, out, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        x, sizes = self.first(images), []
        for block in self.down:
            sizes.append(x.shape[-2:])
            x = block(F.max_pool2d(x, 2))
        for block, size in zip(self.up, reversed(sizes), strict=True):
            x = block(F.interpolate(x, size=size, mode="bilinear", align_corners=False))
        return torch.tanh(self.head(x)) / 2 + 0.5


def _block(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.GroupNorm(out // 4, out), nn.ReLU(inplace=True)
    )


def drawn(make: Callable[[], nn.Module], generator: torch.Generator) -> nn.Module:
    """A module with first weights that depend on `generator` alone; the global random state is left as it was."""
    seed = int(torch.randint(2**31, (1,), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def rebuilt(make: Callable[[], nn.Module], weights: dict[str, Tensor]) -> nn.Module:
    """A frozen module that holds these weights; on a network without storage nothing is drawn first."""
    with torch.device("meta"):
        module = make()
    module.load_state_dict(weights, assign=True)
    return module.eval().requires_grad_(False)
