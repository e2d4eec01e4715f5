"""What several kinds of experiments share: a model with its backdoor, pictures, live scores, scripts."""
