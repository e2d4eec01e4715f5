"""FAB: the fast adaptive boundary attack."""

from core.attacks.inputs.fab.fab import FAB

__all__ = ["FAB"]
