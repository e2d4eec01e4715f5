"""Experiments as things one can name, run, keep and repeat. Nothing here knows about Streamlit."""

VERSION = "0.1.0"
"""The project's version: pyproject.toml reads it here, and it is part of every cache key."""
