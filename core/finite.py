"""Whether a model answers with numbers at all."""

from __future__ import annotations

from torch import Tensor


def require_finite(logits: Tensor) -> Tensor:
    """The logits, or ValueError where one of them is NaN or infinite."""
    if not bool(logits.isfinite().all()):
        raise ValueError(
            "The model's logits are not finite (NaN or infinite): its weights or its normalisation are broken."
        )
    return logits
