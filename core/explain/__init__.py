"""Heatmaps (`EXPLAINERS`): what speaks for a class, raw and signed, `display` draws it; `TRUST`; `CONCEPTS`."""

from core.explain.concepts.acav import ACAV
from core.explain.concepts.concept_vector import ConceptVector
from core.explain.concepts.fast_cav import FastCAV
from core.explain.concepts.layer import layers_of
from core.explain.concepts.tcav import TCAV
from core.explain.consistency.consistency import Consistencies, Consistency, Pair
from core.explain.heatmaps.ablation_cam import AblationCAM
from core.explain.heatmaps.attention_rollout import AttentionRollout
from core.explain.heatmaps.cam import CAM, activations_and_gradient, enlarged
from core.explain.heatmaps.display import Shown, colour, display, overlay
from core.explain.heatmaps.eigencam import EigenCAM
from core.explain.heatmaps.gradcam import GradCAM
from core.explain.heatmaps.gradcam_plus_plus import GradCAMPlusPlus
from core.explain.heatmaps.guided_backprop import GuidedBackprop
from core.explain.heatmaps.hirescam import HiResCAM
from core.explain.heatmaps.integrated_gradients import IntegratedGradients
from core.explain.heatmaps.layercam import LayerCAM
from core.explain.heatmaps.layers import maps_of
from core.explain.heatmaps.lrp import LRP
from core.explain.heatmaps.occlusion import Occlusion
from core.explain.heatmaps.rise import RISE
from core.explain.heatmaps.saliency import Saliency
from core.explain.heatmaps.score_cam import ScoreCAM
from core.explain.heatmaps.smoothgrad import SmoothGrad
from core.explain.heatmaps.xgradcam import XGradCAM
from core.explain.trust.trust_tests import TrustTests

EXPLAINERS = [
    GradCAM, HiResCAM, GradCAMPlusPlus, LayerCAM, XGradCAM, EigenCAM, ScoreCAM, AblationCAM, Saliency,
    IntegratedGradients, SmoothGrad, Occlusion, LRP, RISE, AttentionRollout, GuidedBackprop,
]  # fmt: skip
CONCEPTS = [TCAV, ACAV, FastCAV]
TRUST = [TrustTests]

__all__ = [
    "ACAV",
    "CAM",
    "CONCEPTS",
    "EXPLAINERS",
    "LRP",
    "RISE",
    "TCAV",
    "TRUST",
    "AblationCAM",
    "AttentionRollout",
    "ConceptVector",
    "Consistencies",
    "Consistency",
    "EigenCAM",
    "FastCAV",
    "GradCAM",
    "GradCAMPlusPlus",
    "GuidedBackprop",
    "HiResCAM",
    "IntegratedGradients",
    "LayerCAM",
    "Occlusion",
    "Pair",
    "Saliency",
    "ScoreCAM",
    "Shown",
    "SmoothGrad",
    "TrustTests",
    "XGradCAM",
    "activations_and_gradient",
    "colour",
    "display",
    "enlarged",
    "layers_of",
    "maps_of",
    "overlay",
]
