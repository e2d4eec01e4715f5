"""The README's examples run as printed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]


def example(name: str) -> str:
    """The code block behind the README's mark of that name."""
    found = re.search(rf"<!-- example: {name} -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, f"README.md has no example {name!r}"
    return found[1]


def test_the_library_example_removes_a_backdoor():
    code = example("library")
    assert len([line for line in code.splitlines() if line.strip()]) == 10
    if not (ROOT / "models" / "zoo" / "scenes-badnets" / "model.safetensors").exists():
        pytest.skip("needs zoo:scenes-badnets (make zoo trains it)")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    before, after = (float(asr) for asr in re.findall(r"\basr=([\d.e-]+)", ran.stdout))
    assert before >= 0.9
    assert after <= 0.2


def test_the_method_example_is_a_trigger(tmp_path):
    file = tmp_path / "stripe.py"
    file.write_text(example("method"))
    spec = importlib.util.spec_from_file_location("stripe", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["stripe"] = module
    try:
        spec.loader.exec_module(module)
        images = torch.rand(2, 3, 8, 8)
        striped = module.Stripe(rows=3, alpha=1.0)(images)
        assert torch.equal(striped[:, :, :3], torch.ones(2, 3, 3, 8))
        assert torch.equal(striped[:, :, 3:], images[:, :, 3:])
        with pytest.raises(ValueError, match=r"rows.*99"):
            module.Stripe(rows=99)
    finally:
        del sys.modules["stripe"]
