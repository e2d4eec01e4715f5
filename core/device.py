"""Where and how precisely to compute: device, autocast, and what to do when memory runs out."""

from __future__ import annotations

import functools
import itertools
import os
import platform
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn


def best_device() -> torch.device:
    """cuda if there is one, else mps, else cpu."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def hardware() -> str:
    """The machine in a few words: the GPU where torch sees one, else the number and kind of CPU cores."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{os.cpu_count()} CPU cores ({model})"


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's first parameter or buffer (cpu if it has none)."""
    first = next(itertools.chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def dtype_of(model: nn.Module) -> torch.dtype:
    """The dtype of the model's first floating parameter or buffer (float32 if it has none)."""
    tensors = itertools.chain(model.parameters(), model.buffers())
    return next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), torch.float32)


@functools.cache
def bf16_pays(kind: str) -> bool:
    """Whether bfloat16 arithmetic is faster than float32 on this kind of device."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":
        capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 autocast where it pays, a no-op elsewhere. For training steps; never yield inside."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16_pays(device.type))


def in_batches(function: Callable[..., Tensor], *tensors: Tensor, size: int = 500) -> Tensor:
    """`function` over slices of `tensors` (same length), concatenated.

    When the device runs out of memory the slice is halved and the work goes on; a slice of one
    that still does not fit raises torch.OutOfMemoryError.
    """
    done: list[Tensor] = []
    start = 0
    while start < len(tensors[0]):
        try:
            done.append(function(*(tensor[start : start + size] for tensor in tensors)))
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = max(1, size // 2)
            continue
        start += size
    return torch.cat(done) if done else function(*tensors)
