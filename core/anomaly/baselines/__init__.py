"""Detectors of outliers to compare with: one per file."""
