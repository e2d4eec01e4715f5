"""What the checks for masked gradients conclude from their figures."""

from __future__ import annotations

import pytest

from bench.masking import masked


@pytest.mark.parametrize(
    ("steps", "more", "transfer", "said"),
    [(0.25, 0.24, 0.4, "no sign"), (0.25, 0.21, 0.4, "yes"), (0.25, 0.25, 0.2, "yes")],
)
def test_more_steps_and_transfer_tell(steps: float, more: float, transfer: float, said: str) -> None:
    assert masked({"PGD-20": steps, "PGD-100, 5 restarts": more, "transfer": transfer}) == said
