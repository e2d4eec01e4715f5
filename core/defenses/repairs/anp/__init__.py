"""Adversarial neuron pruning."""

from core.defenses.repairs.anp.anp import ANP

__all__ = ["ANP"]
