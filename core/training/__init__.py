"""Trainings (with `.run`), one per file."""

from core.training.standard import Standard

TRAININGS = [Standard]
PARTS: list[type] = []

__all__ = ["PARTS", "TRAININGS", "Standard"]
