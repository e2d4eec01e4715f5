"""Regional adversarial perturbation: the attack, its regions, and local against global."""

from core.attacks.inputs.regional.locality import Comparison, Ratio, compare, global_counterpart, loading_slip
from core.attacks.inputs.regional.masks import drawn
from core.attacks.inputs.regional.regional import Regional, right_for_both

__all__ = [
    "Comparison", "Ratio", "Regional", "compare", "drawn", "global_counterpart", "loading_slip", "right_for_both",
]  # fmt: skip
