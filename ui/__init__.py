"""What the pages share: pickers, controls drawn from knobs, the job panel, pictures, charts, lessons, links.

Modules here import torch, and whatever imports torch, inside functions only: a page must show its first words
before torch has come.
"""
