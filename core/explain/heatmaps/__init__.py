"""Heatmaps, one method per file, over one primitive."""
