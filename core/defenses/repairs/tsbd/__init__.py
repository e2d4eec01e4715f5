"""Two-stage backdoor defense."""

from core.defenses.repairs.tsbd.tsbd import TSBD

__all__ = ["TSBD"]
