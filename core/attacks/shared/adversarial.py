"""What an attack on inputs gives back, and the three norms it is measured by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Adversarial:
    """The result of an attack on N images.

    images : (N, C, H, W) in [0, 1]
    success : bool (N,), the attack's own goal: the label is left (untargeted), the target is reached
        (targeted), or the judge is fooled (`Regional`). Images that were wrong from the start count
        as left: an attack success rate takes the images that were right before as its denominator.
    source_success : bool (N,), the same asked of the attacked model itself; `Regional`: whether the
        attacked model says the target class on the returned image
    norms : "l0", "l2", "linf", each (N,), see `norms_of`
    steps : int64 (N,), the step whose iterate is returned
    queries : int64 (N,), forward passes of the attacked model spent on this image
    report : what else an attack has to say, by name
    """

    images: Tensor
    success: Tensor
    source_success: Tensor
    norms: dict[str, Tensor]
    steps: Tensor
    queries: Tensor
    report: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor | slice) -> Adversarial:
        """The images at `index` (a slice, an index tensor or a bool mask); whole-run reports stay as they are."""
        n = len(self)
        per_image = {
            name: value[index] if isinstance(value, Tensor) and value.shape[:1] == (n,) else value
            for name, value in self.report.items()
        }
        return Adversarial(
            self.images[index],
            self.success[index],
            self.source_success[index],
            {name: value[index] for name, value in self.norms.items()},
            self.steps[index],
            self.queries[index],
            per_image,
        )


def norms_of(images: Tensor, adversarial: Tensor) -> dict[str, Tensor]:
    """Size of each change (N, C, H, W), three ways.

    l0 : share of the H·W pixel positions where any channel changed
    l2 : Euclidean norm of the flattened change, pixels in [0, 1], not divided by its length
    linf : largest absolute change
    """
    change = (adversarial - images).abs()
    return {
        "l0": (change > 0).any(1).flatten(1).to(images.dtype).mean(1),
        "l2": torch.linalg.vector_norm(change.flatten(1), dim=1),
        "linf": change.flatten(1).amax(1),
    }
