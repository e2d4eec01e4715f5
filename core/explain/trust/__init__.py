"""Whether a heatmap can be trusted: curves of deletion and insertion, randomised weights, sensitivity."""
