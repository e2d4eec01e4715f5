"""Re-activation: bring back a backdoor that a defense left dormant."""

from core.attacks.reactivation.reactivation import ReActivation, Reactivation

__all__ = ["ReActivation", "Reactivation"]
