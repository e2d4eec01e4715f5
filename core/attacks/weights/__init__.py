"""Attacks on weights: a backdoor without poisoned training data."""

from core.attacks.weights.weight_backdoor import WeightBackdoor

__all__ = ["WeightBackdoor"]
