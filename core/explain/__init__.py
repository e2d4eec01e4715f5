"""Explainers: maps of what speaks for a class, signed and raw; `display` turns them into pictures."""

from core.explain.display import Shown, colour, display, overlay
from core.explain.gradcam import GradCAM
from core.explain.hirescam import HiResCAM
from core.explain.layers import maps_of
from core.explain.primitive import CAM, activations_and_gradient, enlarged

EXPLAINERS = [GradCAM, HiResCAM]

__all__ = [
    "CAM", "EXPLAINERS", "GradCAM", "HiResCAM", "Shown", "activations_and_gradient", "colour", "display", "enlarged",
    "maps_of", "overlay",
]
