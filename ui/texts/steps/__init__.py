"""The formulas of ui.texts step by step: each function fills in the numbers of a finished run."""
