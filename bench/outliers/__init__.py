"""Outlier detection on MNIST 0 against 2, as Beggel et al. measured it: cells, and the table that they make."""
