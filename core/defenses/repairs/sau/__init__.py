"""Shared adversarial unlearning."""

from core.defenses.repairs.sau.sau import SAU

__all__ = ["SAU"]
