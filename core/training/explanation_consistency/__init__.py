"""Training with explanation consistency: pictures whose explanation does not survive count for more."""
