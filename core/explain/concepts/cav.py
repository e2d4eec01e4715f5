"""What all concept methods share: activations once, a plane for each random set, recall, scores and controls."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.explain.concepts.concept_vector import ConceptVector
from core.explain.concepts.planes import Planes
from core.explain.concepts.probe import Probe
from core.explain.concepts.recall import recalls
from core.explain.concepts.significance import against_random, t_test
from core.knobs import Method, knob
from core.runs import Progress, Run

TOGETHER = 5
"""Random sets in one step."""


@dataclass(frozen=True)
class CAV(Method):
    """A concept activation vector; what differs is `planes`, one for each random set."""

    draws: int = knob(20, low=2, high=500, step=1, symbol="R", help="random sets, each gives a vector", primary=True)
    controls: int = knob(20, low=1, high=500, step=1, symbol="B", help="random concepts that scores are tested against")
    examples: int = knob(100, low=5, high=1000, step=5, symbol="n_C", help="pictures of the concept, at most")
    random: int = knob(200, low=5, high=5000, step=5, symbol="n_R", help="pictures in a random set, at most")
    pool: bool = knob(True, help="use the mean over a map's positions; otherwise every position counts")

    def planes(self, concept: Tensor, random: Tensor, generator: torch.Generator) -> Planes:
        """Planes between the concept's activations (n, d) and each of S random sets (S, m, d), in float64."""
        raise NotImplementedError

    def threshold(self, planes: Planes, concept: Tensor, random: Tensor) -> Planes:
        """The planes with their thresholds placed on pictures (n, d), (m, d) that they were not fitted to."""
        return planes

    @property
    def sets_per_control(self) -> int:
        """Random sets that a random concept is held against: as many as the concept itself."""
        return self.draws

    def run(
        self, model: nn.Module, data: ImageSet, concept: Tensor | ImageSet, *, layer: str | None = None, seed: int = 0
    ) -> Run[ConceptVector]:
        """The concept's direction at a layer, its recall on pictures it was not fitted to, and the classes' scores.

        data : its labels are classes of the model; half of its pictures without the concept may be learned from
        concept : bool (N,) over `data`, or an ImageSet of examples; at least 10 pictures with and 10 without
        layer : a name of `model.named_modules()`; None is the stage before the last
        seed : divides the pictures, and draws the random sets

        Raises ValueError in one sentence: too few pictures, no such layer, a layer without activations, labels that
        are no classes of the model.
        """
        probe = yield from Probe.of(
            model, data, concept, layer=layer, pool=self.pool, most=self.examples, seed=seed
        )  # fmt: skip
        return (yield from self.found(probe, seed=seed))

    def found(self, probe: Probe, *, seed: int = 0) -> Run[ConceptVector]:
        """What `run` finds, from activations that are there already."""
        parts: list[Planes] = []
        generator, pictures = torch.Generator().manual_seed(seed), probe.examples.train.random
        for start in range(0, self.draws, TOGETHER):
            many = min(TOGETHER, self.draws - start)
            planes = self.planes(probe.concept, probe.sets(pictures, self.random, many, generator), generator)
            parts.append(self.threshold(planes, *probe.held))
            yield Progress("vectors", start + many, self.draws, _told(Planes.joined(parts), probe))
        controls = yield from self._controls(probe, generator)
        return _gathered(Planes.joined(parts), controls, probe)

    def _controls(self, probe: Probe, generator: torch.Generator) -> Run[Tensor]:
        """Directions (B, S, d) of random concepts: as many pictures as the concept has, of those without it."""
        found, n, pictures = [], len(probe.concept), probe.examples.train.random
        for step in range(self.controls):
            order = pictures[torch.randperm(len(pictures), generator=generator)]
            sets = probe.sets(order[n:], self.random, self.sets_per_control, generator)
            found.append(self.planes(probe.activations[order[:n]], sets, generator).normals)
            yield Progress("controls", step + 1, self.controls)
        return torch.stack(found)


def _told(planes: Planes, probe: Probe) -> dict[str, float]:
    """The scores so far, as metrics of a Progress."""
    found, _ = recalls(planes(probe.tested), probe.examples.tested_concept)
    return {
        "recall_at_5": found.recall_at_5.mean().item(), "recall": found.recall.mean().item(),
        "fpr": found.false_positive_rate.mean().item(), "n": len(probe.examples.test.concept),
        "n_without": len(probe.examples.test.random),
    }  # fmt: skip


def _gathered(planes: Planes, controls: Tensor, probe: Probe) -> ConceptVector:
    values, examples = planes(probe.tested), probe.examples
    found, curve = recalls(values, examples.tested_concept)
    scores, others = probe.slopes.scores(planes.normals), probe.slopes.scores(controls)
    order = values[0].argsort(descending=True)
    return ConceptVector(
        layer=probe.layer.name, pool=probe.layer.pool, vector=planes.normals[0].float(), bias=planes.biases[0].item(),
        difference=probe.difference.float(), vectors=planes.normals.float(), recalls=found,
        positives=len(examples.test.concept), negatives=len(examples.test.random), roc=curve, scores=scores,
        control_scores=others, counts=probe.slopes.counts, p=against_random(scores, others),
        t_test=t_test(scores, others[:, 0]), tested=examples.images[examples.tested[order].to(examples.images.device)],
        holds=examples.tested_concept[order], order=examples.origin[examples.tested][order], distances=values[0][order],
    )  # fmt: skip
