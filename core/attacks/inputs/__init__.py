"""Attacks on inputs: small changes of an image that change the prediction."""
