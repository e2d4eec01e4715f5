"""Auto-PGD: the ascent that chooses its own step length, on one loss (APGD) or towards each rival class (APGDT)."""

from core.attacks.inputs.apgd.apgd import APGD
from core.attacks.inputs.apgd.apgd_t import APGDT

__all__ = ["APGD", "APGDT"]
