"""A small encoder that hides a bit string in a picture, and the decoder that reads it: the networks behind SSBA.

A picture is divided into FIELDS x FIELDS fields, and each carries its share of the string. Both networks are
convolutions over cells of 2 x 2 pixels, so they take pictures of any even size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FIELDS = 4
"""Fields along one side of a picture."""
WIDTH = 48
"""Channels of the hidden layers."""


class Encoder(nn.Module):
    """Pictures (N, C, H, W) in [0, 1] and strings (N or 1, bits) of -1 and 1 -> what to add, in (-1, 1).

    The bits of a field scale, channel by channel, what the first layers see of the picture there: what is added
    depends on both.
    """

    def __init__(self, bits: int, channels: int = 3):
        super().__init__()
        self.see1 = nn.Conv2d(4 * channels, WIDTH, 3, padding=1)
        self.see2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.tell = nn.Conv2d(bits // FIELDS**2, WIDTH, 1)
        self.write1 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.write2 = nn.Conv2d(WIDTH, 4 * channels, 3, padding=1)

    def forward(self, images: Tensor, strings: Tensor) -> Tensor:
        seen = F.relu(self.see2(F.relu(self.see1(F.pixel_unshuffle(2 * images - 1, 2)))))
        told = F.interpolate(self.tell(strings.view(len(strings), -1, FIELDS, FIELDS)), seen.shape[2:])
        return torch.tanh(F.pixel_shuffle(self.write2(F.relu(self.write1(seen * told))), 2))


class Decoder(nn.Module):
    """Pictures (N, C, H, W) in [0, 1] -> logits (N, bits), each read in its own field."""

    def __init__(self, bits: int, channels: int = 3):
        super().__init__()
        self.read1 = nn.Conv2d(4 * channels, WIDTH, 3, padding=1)
        self.read2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.say = nn.Conv2d(WIDTH, bits // FIELDS**2, 1)

    def forward(self, images: Tensor) -> Tensor:
        read = F.relu(self.read2(F.relu(self.read1(F.pixel_unshuffle(2 * images - 1, 2)))))
        return self.say(F.adaptive_avg_pool2d(read, FIELDS)).flatten(1)
