"""What a detector returns, and what it checks before it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.checks import check_classes, check_weights
from core.device import device_of
from core.networks.model_state import working_copy
from core.networks.penultimate import classifier_of, penultimate
from core.runs import Progress, Run

SLICE = 250
"""Images between two moments of progress."""


@dataclass
class Detection:
    """What a detector says about N suspects; it was never told which of them are triggered.

    scores : float (N,), higher = more suspicious; a ROC curve is computed from them elsewhere
    flagged : bool (N,), what the method itself would remove
    threshold : the score above which it flags (AC, spectral signatures: within a class it accuses)
    report : what the method found out on the way: entropies, cluster sizes, silhouettes by class
    """

    scores: Tensor
    flagged: Tensor
    threshold: float
    report: dict[str, Tensor | float] = field(default_factory=dict)


def check_suspects(method: str, model: nn.Module, suspects: ImageSet) -> None:
    """Raise ValueError, in one sentence, when `method` cannot judge `suspects` by `model`.

    Refused are weights that are not finite, no suspects, and a model of other classes.
    """
    check_weights(method, model)
    if not len(suspects):
        raise ValueError(f"{method} got no suspects; give it at least one image.")
    check_classes(method, model, suspects)


def activations(model: nn.Module, suspects: ImageSet) -> Run[Tensor]:
    """The features before the last linear layer, float64 (N, d) on the CPU, un-augmented and in eval mode.

    Raises ValueError for a model whose output is not that of a linear layer.
    """
    private = working_copy(model)  # it is hooked, and the model may be shared
    images = suspects.images.to(device_of(model))
    head = classifier_of(private, images[:2])
    parts, slices = [], images.split(SLICE)
    for step, part in enumerate(slices, start=1):
        parts.append(penultimate(private, head, part).flatten(1).cpu().double())
        yield Progress("features", step, len(slices))
    return torch.cat(parts)
