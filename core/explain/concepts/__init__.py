"""Concepts: directions in a layer's activations that tell pictures with a concept from others."""
