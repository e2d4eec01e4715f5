"""AutoAttack: four attacks, each on the survivors of the one before."""

from core.attacks.inputs.autoattack.autoattack import AutoAttack
from core.attacks.inputs.autoattack.cascade import Stage

__all__ = ["AutoAttack", "Stage"]
