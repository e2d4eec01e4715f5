"""Repairs, one per file or package: from a model and a few clean images to a repaired model."""

from core.defenses.repairs.anp import ANP
from core.defenses.repairs.clp import CLP
from core.defenses.repairs.fine_pruning import FinePruning
from core.defenses.repairs.fine_tuning import FineTuning
from core.defenses.repairs.ft_sam import FTSAM
from core.defenses.repairs.ibau import IBAU
from core.defenses.repairs.nad import NAD
from core.defenses.repairs.neural_cleanse import NeuralCleanse
from core.defenses.repairs.rnp import RNP
from core.defenses.repairs.sau import SAU
from core.defenses.repairs.tsbd import TSBD

__all__ = ["ANP", "CLP", "FTSAM", "IBAU", "NAD", "RNP", "SAU", "TSBD", "FinePruning", "FineTuning", "NeuralCleanse"]
