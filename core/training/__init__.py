"""Trainings (with `.run`), one per file."""

from core.training.abl import ABL
from core.training.standard import Standard

TRAININGS = [Standard, ABL]
PARTS: list[type] = []

__all__ = ["ABL", "PARTS", "TRAININGS", "Standard"]
