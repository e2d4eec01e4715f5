"""Triggers: functions on pictures to which a backdoored model responds; `Poison` trains them in."""

from core.triggers.badnets import BadNets
from core.triggers.blended import Blended
from core.triggers.flareon import Flareon
from core.triggers.input_aware.input_aware import InputAware
from core.triggers.low_frequency import LowFrequency
from core.triggers.poison import Poison
from core.triggers.shared.trigger import Trigger
from core.triggers.sig import SIG
from core.triggers.ssba.ssba import SSBA
from core.triggers.trojan_nn import TrojanNN
from core.triggers.wanet import WaNet

TRIGGERS = [BadNets, Blended, SIG, WaNet, Flareon, InputAware, LowFrequency, SSBA, TrojanNN]

__all__ = [
    "SIG", "SSBA", "TRIGGERS", "BadNets", "Blended", "Flareon", "InputAware", "LowFrequency", "Poison", "Trigger",
    "TrojanNN", "WaNet",
]  # fmt: skip
