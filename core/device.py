"""Where and how precisely to compute: device, its memory, autocast, and what to do when memory runs out."""

from __future__ import annotations

import functools
import itertools
import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

FORCED = "PERTURB_DEVICE"
"""The variable of the environment that names the device: cpu, mps, cuda, or one of several as cuda:1."""
NO_MEMORY = re.compile(r"out of memory|can't allocate memory|STATUS_ALLOC_FAILED|STATUS_NOT_INITIALIZED")
"""What torch's backends say when memory runs out; libraries of CUDA say so in a plain RuntimeError."""


def best_device() -> torch.device:
    """The device that PERTURB_DEVICE names, else cuda if there is one, else mps, else cpu.

    Raises ValueError in one sentence where PERTURB_DEVICE names no device, or one that this machine lacks.
    """
    forced = os.environ.get(FORCED, "")
    if forced:
        return _named(forced)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _named(text: str) -> torch.device:
    """The device that PERTURB_DEVICE = `text` means."""
    found = re.fullmatch(r"cpu|mps|cuda(?::(\d{1,3}))?", text.strip().lower())
    if found is None:
        raise ValueError(f"{FORCED} = {text!r} names no device; give cpu, mps, cuda or cuda:1, or leave it unset.")
    kind, index = found[0].partition(":")[0], found[1]
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"{FORCED} = {text!r}, but PyTorch finds no Apple GPU here; give cpu, or leave it unset.")
    if kind == "cuda" and count == 0:
        raise ValueError(f"{FORCED} = {text!r}, but PyTorch finds no CUDA GPU here; give cpu, or leave it unset.")
    if index is not None and int(index) >= count:
        raise ValueError(
            f"{FORCED} = {text!r}, but PyTorch finds {count} CUDA GPU{'s' * (count > 1)} here, counted from cuda:0; "
            "give one of them, or leave it unset."
        )
    return torch.device(kind) if index is None else torch.device(kind, int(index))


@dataclass(frozen=True)
class GPU:
    """A GPU by name, its memory, and what of it this process can still take, in bytes."""

    name: str
    total: int
    free: int


def gpu(device: torch.device) -> GPU | None:
    """The GPU that `device` is, None for a CPU. Waits for nothing that it computes."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        # PyTorch keeps what was freed for its next tensors.
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return GPU(torch.cuda.get_device_name(device), total, free + kept)
    if device.type == "mps":
        total = torch.mps.recommended_max_memory()
        return GPU("Apple GPU", total, max(0, total - torch.mps.current_allocated_memory()))
    return None


def hardware() -> str:
    """The machine in a few words: the GPU that is computed on, else the number and kind of CPU cores."""
    found = gpu(best_device())
    if found is not None:
        return found.name
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
def bf16_pays(device: torch.device) -> bool:
    """Whether bfloat16 arithmetic is faster than float32 on this device."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 autocast where it pays, a no-op elsewhere. For training steps; never yield inside."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16_pays(device))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, so that a smaller batch may fit."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and NO_MEMORY.search(str(error)) is not None


def in_batches(function: Callable[..., Tensor], *tensors: Tensor, size: int = 500) -> Tensor:
    """`function` over slices of `tensors` (same length), concatenated.

    When the device runs out of memory the slice is halved and the work goes on; a slice of one
    that still does not fit raises torch.OutOfMemoryError.
    """
    done: list[Tensor] = []
    start, size = 0, min(size, max(1, len(tensors[0])))
    while start < len(tensors[0]):
        try:
            done.append(function(*(tensor[start : start + size] for tensor in tensors)))
        except RuntimeError as error:
            if size == 1 or not out_of_memory(error):
                raise
            size = max(1, size // 2)
            continue
        start += size
    return torch.cat(done) if done else function(*tensors)
