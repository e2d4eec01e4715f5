"""Detectors, one per file: which suspects carry a trigger."""
