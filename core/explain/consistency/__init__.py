"""Explanation consistency: whether a heatmap stays the same while what it calls background is attacked."""
