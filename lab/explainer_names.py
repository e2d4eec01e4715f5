"""The names of the heatmap methods, for the sidebar of a first page that has not loaded torch yet."""

EXPLAINER_NAMES = (
    "GradCAM", "HiResCAM", "GradCAMPlusPlus", "LayerCAM", "XGradCAM", "EigenCAM", "ScoreCAM", "AblationCAM",
    "Saliency", "IntegratedGradients", "SmoothGrad", "Occlusion", "LRP", "RISE", "AttentionRollout", "GuidedBackprop",
)  # fmt: skip
"""In the order of `core.explain.EXPLAINERS`."""
