"""Regional adversarial perturbation: the attack, its regions, and local against global."""

from core.attacks.inputs.regional.locality import Comparison, Ratio, compare, global_counterpart, loading_slip
from core.attacks.inputs.regional.masks import drawn
from core.attacks.inputs.regional.regional import Regional, fitted, right_for_both
from core.attacks.inputs.regional.transfer import ResizeCost, Transfer, resize_cost, transfer

__all__ = [
    "Comparison", "Ratio", "Regional", "ResizeCost", "Transfer", "compare", "drawn", "fitted", "global_counterpart",
    "loading_slip", "resize_cost", "right_for_both", "transfer",
]  # fmt: skip
