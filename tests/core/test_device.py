"""Batches shrink when memory runs out, and nothing else changes."""

import pytest
import torch
from torch import nn

from core.device import autocast, best_device, bf16_pays, device_of, in_batches


def test_in_batches_concatenates_in_order() -> None:
    x = torch.arange(10.0)
    assert torch.equal(in_batches(lambda part: 2 * part, x, size=3), 2 * x)
    assert torch.equal(in_batches(lambda a, b: a + b, x, x, size=4), 2 * x)
    assert in_batches(lambda part: part, x[:0]).shape == (0,)


def test_in_batches_halves_until_it_fits() -> None:
    seen = []

    def picky(part: torch.Tensor) -> torch.Tensor:
        if len(part) > 3:
            raise torch.OutOfMemoryError("too much")
        seen.append(len(part))
        return part

    assert torch.equal(in_batches(picky, torch.arange(10), size=8), torch.arange(10))
    assert max(seen) <= 3


def test_in_batches_gives_up_at_one() -> None:
    def never(part: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("too much")

    with pytest.raises(torch.OutOfMemoryError):
        in_batches(never, torch.arange(4), size=4)


def test_devices_and_precision() -> None:
    assert device_of(nn.Identity()) == torch.device("cpu")
    assert best_device().type in ("cuda", "mps", "cpu")
    assert autocast(torch.device("cpu"))._enabled == bf16_pays("cpu")
    assert not bf16_pays("mps")
