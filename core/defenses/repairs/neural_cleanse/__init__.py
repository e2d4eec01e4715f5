"""Neural Cleanse: trigger inversion, outlier test, unlearning."""

from core.defenses.repairs.neural_cleanse.neural_cleanse import NeuralCleanse

__all__ = ["NeuralCleanse"]
