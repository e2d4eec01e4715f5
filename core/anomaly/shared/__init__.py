"""What several detectors of outliers share."""
