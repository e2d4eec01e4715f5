"""Explainers: maps of what speaks for a class, signed and raw; `display` turns them into pictures."""

from core.explain.consistency.consistency import Consistencies, Consistency, Pair
from core.explain.heatmaps.cam import CAM, activations_and_gradient, enlarged
from core.explain.heatmaps.display import Shown, colour, display, overlay
from core.explain.heatmaps.gradcam import GradCAM
from core.explain.heatmaps.hirescam import HiResCAM
from core.explain.heatmaps.layers import maps_of

EXPLAINERS = [GradCAM, HiResCAM]

__all__ = [
    "CAM",
    "EXPLAINERS",
    "Consistencies",
    "Consistency",
    "GradCAM",
    "HiResCAM",
    "Pair",
    "Shown",
    "activations_and_gradient",
    "colour",
    "display",
    "enlarged",
    "maps_of",
    "overlay",
]
