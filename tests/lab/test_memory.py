"""What the process no longer uses goes back to the system."""

import platform
import re
from pathlib import Path

import pytest

from lab.running import memory


def resident() -> float:
    """Resident memory of this process in MB."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is below a block in use")
def test_what_lies_below_a_block_in_use_is_given_back(monkeypatch) -> None:
    blocks = [bytearray(b"1" * 100_000) for _ in range(1000)]
    last = bytearray(b"1" * 100_000)
    del blocks
    before = resident()
    monkeypatch.setattr(memory, "_last", -memory.EVERY)
    memory.give_back()
    assert resident() < before - 50
    assert len(last) == 100_000


def test_it_rests_between_two_calls(monkeypatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(memory, "_last", -memory.EVERY)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: type("C", (), {"malloc_trim": asked.append}))
    memory.give_back()
    memory.give_back()
    assert asked == [0]
