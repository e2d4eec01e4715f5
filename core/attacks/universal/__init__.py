"""Attacks that look for one change for all pictures: a universal perturbation, and a patch that is pasted."""
