"""How a class's logit changes along a direction: the TCAV score."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.explain.concepts.layer import Layer
from core.networks.checks import classes_of, require_classes
from core.runs import Run


@dataclass(frozen=True)
class Slopes:
    """Gradients of each picture's own class logit at a layer.

    values : (n, d), float64
    labels : (n,), class of each
    classes : K
    """

    values: Tensor
    labels: Tensor
    classes: int

    @classmethod
    def of(cls, layer: Layer, data: ImageSet) -> Run[Slopes]:
        """Of all pictures of `data`, whose labels must be classes of the model."""
        classes = classes_of(layer.model, data.images)
        labels = require_classes(data.labels, "the data's labels", classes)
        values = yield from layer.slopes(data.images, labels)
        return cls(values.double().cpu(), labels.cpu(), classes)

    @property
    def counts(self) -> Tensor:
        """Pictures of each class (K,)."""
        return torch.bincount(self.labels, minlength=self.classes)

    def scores(self, directions: Tensor) -> Tensor:
        """TCAV (..., K): the share of class k's pictures with S = grad h_k . v > 0, for directions (..., d).

        NaN for a class without pictures.
        """
        rises = (directions @ self.values.T > 0).double()
        member = torch.nn.functional.one_hot(self.labels, self.classes).double()
        return rises @ member / self.counts
