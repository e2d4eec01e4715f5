"""Backdoor defenses, one per file: repairs, from a model and a few clean images to a repaired model, and detectors."""

from core.defenses.activation_clustering import ActivationClustering
from core.defenses.anp import ANP
from core.defenses.clp import CLP
from core.defenses.fine_pruning import FinePruning
from core.defenses.fine_tuning import FineTuning
from core.defenses.ft_sam import FTSAM
from core.defenses.ibau import IBAU
from core.defenses.nad import NAD
from core.defenses.neural_cleanse import NeuralCleanse
from core.defenses.rnp import RNP
from core.defenses.sau import SAU
from core.defenses.spectral_signatures import SpectralSignatures
from core.defenses.strip import STRIP
from core.defenses.tsbd import TSBD

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
