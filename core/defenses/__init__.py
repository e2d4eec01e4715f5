"""Backdoor defenses, one per file: repairs, from a model and a few clean images to a repaired model, and detectors."""

from core.defenses.detectors.activation_clustering import ActivationClustering
from core.defenses.detectors.spectral_signatures import SpectralSignatures
from core.defenses.detectors.strip import STRIP
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

DEFENSES = [FineTuning, FinePruning, NAD, ANP, CLP, NeuralCleanse, IBAU, FTSAM, RNP, SAU, TSBD]
DETECTORS = [STRIP, ActivationClustering, SpectralSignatures]

__all__ = [
    "ANP",
    "CLP",
    "DEFENSES",
    "DETECTORS",
    "FTSAM",
    "IBAU",
    "NAD",
    "RNP",
    "SAU",
    "STRIP",
    "TSBD",
    "ActivationClustering",
    "FinePruning",
    "FineTuning",
    "NeuralCleanse",
    "SpectralSignatures",
]
