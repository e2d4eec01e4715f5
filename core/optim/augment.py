"""Flips and shifts of a whole batch at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def flip_and_shift(images: Tensor, generator: torch.Generator, *, flip: bool = True, pad: int = 2) -> Tensor:
    """Each image mirrored with probability 1/2 and shifted by up to `pad` pixels each way.

    Images (N, C, H, W); what a shift uncovers is filled by reflection. Random numbers come from
    `generator` (on the CPU), one draw of each kind per call.
    """
    n, _, height, width = images.shape
    device = images.device
    columns = torch.arange(width).repeat(n, 1)
    if flip:
        mirrored = torch.rand(n, generator=generator) < 0.5
        columns[mirrored] = columns[mirrored].flip(1)
    rows = torch.arange(height).repeat(n, 1)
    if pad:
        offsets = torch.randint(2 * pad + 1, (2, n, 1), generator=generator)
        rows, columns = rows + offsets[0], columns + offsets[1]
        images = F.pad(images, (pad, pad, pad, pad), mode="reflect")
    picked = torch.arange(n, device=device)[:, None, None], rows.to(device)[:, :, None], columns.to(device)[:, None]
    # Indexing around the channel axis gives (N, H, W, C): channels-last for free.
    return images[picked[0], :, picked[1], picked[2]].permute(0, 3, 1, 2)
