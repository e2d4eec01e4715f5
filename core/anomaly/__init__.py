"""Outliers: detectors that learn from pictures of which some may be outliers, and nothing says which."""

from core.anomaly.adversarial_autoencoder import AdversarialAutoencoder
from core.anomaly.autoencoder import Autoencoder
from core.anomaly.baselines.deep_svdd import DeepSVDD
from core.anomaly.baselines.fitted import IsolationForest, OneClassSVM
from core.anomaly.baselines.padim import PaDiM
from core.anomaly.baselines.patchcore import PatchCore
from core.anomaly.baselines.variational import VariationalAutoencoder
from core.anomaly.itsr import ITSR

OUTLIERS = [
    ITSR, AdversarialAutoencoder, Autoencoder, VariationalAutoencoder, DeepSVDD, IsolationForest, OneClassSVM, PaDiM,
    PatchCore,
]  # fmt: skip

__all__ = [
    "ITSR", "OUTLIERS", "AdversarialAutoencoder", "Autoencoder", "DeepSVDD", "IsolationForest", "OneClassSVM", "PaDiM",
    "PatchCore", "VariationalAutoencoder",
]  # fmt: skip
