"""How many images at once: what is usual on a CPU, what fits on a GPU."""

from __future__ import annotations

import pytest
import torch

from core.networks import batch_size as module
from core.networks.batch_size import FEW, MOST, batch_size, fitting
from tests.conftest import TinyNet, colour_set

MIB, GIB = 2**20, 2**30


@pytest.mark.parametrize(
    ("cost", "memory", "images"),
    [
        (100 * MIB, 80 * GIB, 128),  # a quarter of 80 GiB holds 204
        (100 * MIB, 4 * GIB, 8),
        (2 * MIB, 4 * GIB, 512),
        (0.1 * MIB, 80 * GIB, MOST),
        (5 * GIB, 4 * GIB, 1),
        (float("inf"), 80 * GIB, 1),
        (0.0, 4 * GIB, MOST),
    ],
)
def test_a_batch_takes_a_quarter_of_the_memory_at_most(cost: float, memory: int, images: int) -> None:
    assert fitting(cost, memory) == images
    assert images == 1 or images * cost <= memory / 4


def test_a_cpu_is_asked_for_the_usual_number() -> None:
    for gradients in (False, True):
        assert batch_size(TinyNet(), colour_set(64).pixels, 77, gradients=gradients) == 77


def test_a_gpu_is_measured_once_and_not_for_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def cost(model: torch.nn.Module, images: torch.Tensor) -> float:
        asked.append(len(images))
        return 64.0 * MIB

    monkeypatch.setattr(module, "device_of", lambda model: torch.device("cuda"))
    monkeypatch.setattr(module, "_without", cost)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: type("", (), {"total_memory": 16 * GIB}))
    net, images = TinyNet(), colour_set(64).pixels
    assert batch_size(net, images, 500) == 64 and asked == [64]
    assert batch_size(net, images[:FEW], 500) == FEW and asked == [64]
