"""What a layer answers to a concept's pictures and to others, computed once for all methods and random sets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.explain.concepts.examples import Examples, divide
from core.explain.concepts.layer import Layer, layer_of
from core.explain.concepts.sensitivity import Slopes
from core.runs import Run


@dataclass(frozen=True)
class Probe:
    """A concept at a layer.

    layer : where
    examples : the pictures, divided
    activations : (N, d), float64, of all of them
    slopes : gradients of the class logits, of the data's pictures among those that are tested on
    """

    layer: Layer
    examples: Examples
    activations: Tensor
    slopes: Slopes

    @classmethod
    def of(
        cls, model: nn.Module, data: ImageSet, concept: Tensor | ImageSet, *, layer: str | None = None,
        pool: bool = True, most: int = 100, seed: int = 0,
    ) -> Run[Probe]:  # fmt: skip
        """Activations and gradients; the arguments are those of a method's `run`, its `pool` and its `examples`."""
        examples = divide(data, concept, most, seed)
        place = layer_of(model, examples.images, layer, pool)
        activations = yield from place.activations(examples.images)
        tested = examples.origin[examples.tested]
        slopes = yield from Slopes.of(place, data[tested[tested >= 0].to(data.images.device)])
        return cls(place, examples, activations.double().cpu(), slopes)

    @property
    def concept(self) -> Tensor:
        """Activations (n, d) to learn the concept from."""
        return self.activations[self.examples.train.concept]

    @property
    def held(self) -> tuple[Tensor, Tensor]:
        """Activations with and without the concept to place a threshold on."""
        part = self.examples.validation
        return self.activations[part.concept], self.activations[part.random]

    @property
    def tested(self) -> Tensor:
        """Activations (m, d) of the pictures that are tested on, those with the concept first."""
        return self.activations[self.examples.tested]

    @property
    def difference(self) -> Tensor:
        """Mean of the concept's activations less that of the others (d,)."""
        return self.concept.mean(0) - self.activations[self.examples.train.random].mean(0)

    def sets(self, without: Tensor, size: int, count: int, generator: torch.Generator) -> Tensor:
        """Activations (count, m, d) of random sets drawn from the pictures `without`, indices.

        m is at most `size` and half of what a random concept leaves, so that no two sets are alike.
        """
        m = min(size, (len(self.examples.train.random) - len(self.examples.train.concept)) // 2)
        drawn = [without[torch.randperm(len(without), generator=generator)[:m]] for _ in range(count)]
        return self.activations[torch.stack(drawn)]
