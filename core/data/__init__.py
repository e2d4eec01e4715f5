"""Data sets: what they are (`ImageSet`), the generated one (`Scenes`), and how each is loaded (`load_data`)."""

from core.data.imageset import ImageSet
from core.data.loading import load_data
from core.data.scenes import Scenes

__all__ = ["ImageSet", "Scenes", "load_data"]
