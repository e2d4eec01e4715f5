"""A trigger of its own for every picture, drawn by a small network."""

from core.triggers.input_aware.input_aware import InputAware

__all__ = ["InputAware"]
