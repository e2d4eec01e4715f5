"""What a concept method finds: a direction at a layer, how well it recalls the concept, and how classes respond."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from core.explain.concepts.layer import layer_of
from core.explain.concepts.recall import Recalls
from core.metrics.roc import Roc
from core.runs import finish


@dataclass(frozen=True)
class ConceptVector:
    """A concept's direction in the activations of a layer.

    layer, pool : where, and whether activations are means over the positions
    vector, bias : (d,) of length one and the threshold, of the first random set; v . a + b > 0 says "concept"
    difference : (d,), mean activations with the concept less those without it
    vectors : (R, d), of every random set
    recalls : of every random set, over `positives` pictures with the concept and `negatives` without
    roc : of the first random set
    scores : (R, K), share of a class's held-out pictures whose logit rises along the vector (TCAV); NaN for a class
        without pictures
    control_scores : (B, S, K), the same for B random concepts, pictures drawn from those without the concept, each
        against S random sets
    counts : (K,), pictures of each class
    p, t_test : (K,), two-sided, of the scores against random concepts (core.explain.concepts.significance)
    tested : uint8 (N, C, H, W), the pictures that were tested on, farthest along the vector first
    holds : bool (N,), whether each holds the concept; order : its index in the data, -1 for one that was brought along
    distances : (N,) along the vector
    """

    layer: str
    pool: bool
    vector: Tensor
    bias: float
    difference: Tensor
    vectors: Tensor
    recalls: Recalls
    positives: int
    negatives: int
    roc: Roc
    scores: Tensor
    control_scores: Tensor
    counts: Tensor
    p: Tensor
    t_test: Tensor
    tested: Tensor
    holds: Tensor
    order: Tensor
    distances: Tensor

    @property
    def recall(self) -> float:
        """Mean over the random sets; see `false_positive_rate` beside it."""
        return self.recalls.recall.mean().item()

    @property
    def false_positive_rate(self) -> float:
        """Mean over the random sets."""
        return self.recalls.false_positive_rate.mean().item()

    @property
    def recall_at_5(self) -> float:
        """Recall at 5 % false positives, the mean over the random sets."""
        return self.recalls.recall_at_5.mean().item()

    @property
    def spread(self) -> float:
        """Standard deviation of recall (at the plane) over the random sets, n - 1."""
        return self.recalls.recall.std().item()

    @property
    def score(self) -> Tensor:
        """TCAV score of each class (K,), the mean over the random sets."""
        return self.scores.mean(0)

    def along(self, model: nn.Module, images: Tensor) -> Tensor:
        """Distances (N,) of images (N, C, H, W), uint8 or float in [0, 1], along the vector: above 0 is the concept."""
        activations = finish(layer_of(model, images, self.layer, self.pool).activations(images))
        return activations @ self.vector.to(activations) + self.bias

    def moved(self, model: nn.Module, images: Tensor, strengths: Tensor) -> Tensor:
        """Logits (S, N, K) once `strengths` (S,) times `difference` is added to the activations; -1 takes it away."""
        return layer_of(model, images, self.layer, self.pool).moved(images, self.difference, strengths)
