"""Attacks on weights: a backdoor without poisoned training data."""
