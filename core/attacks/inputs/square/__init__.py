"""The Square attack: a random search that asks for scores only."""

from core.attacks.inputs.square.square import Square

__all__ = ["Square"]
