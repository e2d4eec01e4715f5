"""Triggers: functions on pictures that a backdoored model obeys; `Poison` trains them in."""

from core.triggers.badnets import BadNets
from core.triggers.blended import Blended
from core.triggers.poison import Poison
from core.triggers.sig import SIG
from core.triggers.wanet import WaNet

TRIGGERS = [BadNets, Blended, SIG, WaNet]

__all__ = ["SIG", "TRIGGERS", "BadNets", "Blended", "Poison", "WaNet"]
