"""Robust flatness: how much the robust loss rises when the weights are moved, and the landscape around them."""

from core.flatness.average import AverageFlatness
from core.flatness.flatness import Flatness
from core.flatness.landscape import Landscape, Surface
from core.flatness.rescaling import Rescaled, Rescaling
from core.flatness.worst import WorstFlatness

FLATNESS = [AverageFlatness, WorstFlatness, Rescaling]
LANDSCAPES = [Landscape]

__all__ = [
    "FLATNESS",
    "LANDSCAPES",
    "AverageFlatness",
    "Flatness",
    "Landscape",
    "Rescaled",
    "Rescaling",
    "Surface",
    "WorstFlatness",
]
