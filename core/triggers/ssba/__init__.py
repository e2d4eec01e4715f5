"""A sample-specific trigger: a message hidden by a small network."""

from core.triggers.ssba.ssba import SSBA

__all__ = ["SSBA"]
