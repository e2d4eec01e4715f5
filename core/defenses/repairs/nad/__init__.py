"""Neural attention distillation."""

from core.defenses.repairs.nad.nad import NAD

__all__ = ["NAD"]
