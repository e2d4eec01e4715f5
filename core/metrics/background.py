"""How much a network's answers depend on what stands behind the object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from core.data.backgrounds import RANDOM, SAME
from core.data.imageset import ImageSet
from core.metrics.confusion import correct
from core.networks.predictions import predict


@dataclass(frozen=True)
class BackgroundScores:
    """The share of right answers on each set of the background challenge, over `n` pictures each."""

    accuracy: Mapping[str, float]
    n: int

    @property
    def gap(self) -> float:
        """BG-Gap (Xiao et al., ICLR 2021): what is lost when backgrounds of the class give way to any; 0 where none
        are looked at."""
        return self.accuracy[SAME] - self.accuracy[RANDOM]


def background_scores(model: nn.Module, sets: Mapping[str, ImageSet]) -> BackgroundScores:
    """Scores on the sets that `core.data.backgrounds.challenge` makes, all of one length."""
    found = {name: correct(predict(model, data.images), data.labels) for name, data in sets.items()}
    return BackgroundScores(found, len(next(iter(sets.values()))))
