"""Adversarial unlearning by implicit hypergradient."""

from core.defenses.repairs.ibau.ibau import IBAU

__all__ = ["IBAU"]
