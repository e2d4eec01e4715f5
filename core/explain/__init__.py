"""Explainers: maps of what speaks for a class, signed and raw; `display` turns them into pictures. `CONCEPTS`."""

from core.explain.concepts.acav import ACAV
from core.explain.concepts.concept_vector import ConceptVector
from core.explain.concepts.fast_cav import FastCAV
from core.explain.concepts.layer import layers_of
from core.explain.concepts.tcav import TCAV
from core.explain.consistency.consistency import Consistencies, Consistency, Pair
from core.explain.heatmaps.cam import CAM, activations_and_gradient, enlarged
from core.explain.heatmaps.display import Shown, colour, display, overlay
from core.explain.heatmaps.gradcam import GradCAM
from core.explain.heatmaps.hirescam import HiResCAM
from core.explain.heatmaps.layers import maps_of

EXPLAINERS = [GradCAM, HiResCAM]
CONCEPTS = [TCAV, ACAV, FastCAV]

__all__ = [
    "ACAV",
    "CAM",
    "CONCEPTS",
    "EXPLAINERS",
    "TCAV",
    "ConceptVector",
    "Consistencies",
    "Consistency",
    "FastCAV",
    "GradCAM",
    "HiResCAM",
    "Pair",
    "Shown",
    "activations_and_gradient",
    "colour",
    "display",
    "enlarged",
    "layers_of",
    "maps_of",
    "overlay",
]
