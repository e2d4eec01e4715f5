"""Repairs, one per file or package: from a model and a few clean images to a repaired model."""
