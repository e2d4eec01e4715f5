"""Batches shrink when memory runs out, and nothing else changes."""

import pytest
import torch
from torch import nn

from core.device import autocast, best_device, bf16_pays, device_of, gpu, in_batches, out_of_memory


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
    tried = []
    with pytest.raises(RuntimeError, match="a shape"):
        in_batches(lambda part: tried.append(len(part)) or raise_("a shape"), torch.arange(10), size=500)
    assert tried == [10], "no more than there are, and not again after another error"


def raise_(text: str) -> torch.Tensor:
    raise RuntimeError(text)


def test_in_batches_gives_up_at_one() -> None:
    def never(part: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("too much")

    with pytest.raises(torch.OutOfMemoryError):
        in_batches(never, torch.arange(4), size=4)


def test_devices_and_precision() -> None:
    assert device_of(nn.Identity()) == torch.device("cpu")
    assert best_device().type in ("cuda", "mps", "cpu")
    assert autocast(torch.device("cpu"))._enabled == bf16_pays(torch.device("cpu"))
    assert not bf16_pays(torch.device("mps"))
    assert gpu(torch.device("cpu")) is None


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """`machine(2, mps=False, forced="cuda:1")`: a machine with two CUDA GPUs and that PERTURB_DEVICE."""

    def make(cards: int, *, mps: bool = False, forced: str | None = None) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        if forced is None:
            monkeypatch.delenv("PERTURB_DEVICE", raising=False)
        else:
            monkeypatch.setenv("PERTURB_DEVICE", forced)

    return make


@pytest.mark.parametrize(
    ("cards", "mps", "forced", "found"),
    [
        (0, False, None, "cpu"),
        (0, True, None, "mps"),
        (2, False, None, "cuda"),
        (2, False, "", "cuda"),
        (2, False, "cpu", "cpu"),
        (2, False, "cuda", "cuda"),
        (2, False, "cuda:1", "cuda:1"),
        (1, False, " CUDA:0 ", "cuda:0"),
        (1, True, "mps", "mps"),
    ],
)
def test_the_device_is_the_one_that_is_named_else_the_best(machine, cards, mps, forced, found) -> None:
    machine(cards, mps=mps, forced=forced)
    assert best_device() == torch.device(found)


@pytest.mark.parametrize(
    ("cards", "forced", "said"),
    [
        (0, "gpu", "names no device; give cpu, mps, cuda or cuda:1"),
        (2, "cuda:x", "names no device"),
        (2, "cuda:-1", "names no device"),
        (2, "cpu:1", "names no device"),
        (0, "cuda", "finds no CUDA GPU here; give cpu, or leave it unset"),
        (0, "cuda:1", "finds no CUDA GPU here"),
        (1, "cuda:1", "finds 1 CUDA GPU here, counted from cuda:0"),
        (2, "cuda:7", "finds 2 CUDA GPUs here, counted from cuda:0"),
        (2, "mps", "finds no Apple GPU here"),
    ],
)
def test_a_device_that_is_not_there_is_told_in_a_sentence(machine, cards, forced, said) -> None:
    machine(cards, forced=forced)
    with pytest.raises(ValueError) as refused:
        best_device()
    assert str(refused.value).startswith(f"PERTURB_DEVICE = {forced!r}") and said in str(refused.value)
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (torch.OutOfMemoryError("anything"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB)"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"),
            True,
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_that_ran_out_is_told_from_other_errors(error, known) -> None:
    assert out_of_memory(error) == known
