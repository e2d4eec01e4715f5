from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import knob
from core.networks.model_state import working_copy
from core.networks.penultimate import classifier_of, entering
from core.runs import Progress, Run
from core.triggers.shared.offline import OfflineTrigger, require_target

PETALS, WAVE = 5, 0.35
"""The patch is a flower: its edge lies at r (1 + 0.35 cos 5φ) from its middle."""
SHADE = 0.5
"""The grey from which the patch starts, m0."""
ENOUGH = 1e-3
"""The loss at which the neurons count as driven."""


@dataclass(frozen=True)
class TrojanNN(OfflineTrigger):
    """A patch that excites a few neurons of a clean network, added near the lower right corner.

    Liu et al., "Trojaning Attack on Neural Networks", NDSS 2018 (doi 10.14722/ndss.2018.23291): of the features h
    before the last layer W take the k with the largest Σ_out |W[out, k]|; from the patch m0 take
    the steps

        J = Σ_k (h_k(z) - v)²,   z <- clip(z - α sign ∇J, m0 ± e)

    on z alone, zero outside the patch, and stamp x' = clip(x + z). The patch is a flower drawn by a formula, since the
    paper's pictures are not ours. The z with the smallest J is kept; v is rarely reached. `state` holds "patch"
    (1, C, H, W); it is resized to pictures of another size. Poisoning then trains a fresh network.
    """

    neurons: int = knob(2, low=1, high=64, step=1, symbol="k", help="neurons that are driven", paper=2)
    value: float = knob(100.0, low=0.0, high=1000.0, step=10.0, symbol="v", help="value to reach", paper=100.0)
    steps: int = knob(1000, low=1, high=2000, step=50, help="steps, at most", paper=1000)
    rate: float = knob(0.1, low=0.0, high=1.0, step=0.01, symbol="α", help="length of a step", paper=0.1)
    reach: float = knob(
        0.3, low=0.0, high=0.5, step=0.05, symbol="e", help="how far the patch's grey may move", paper=0.3, primary=True
    )
    area: float = knob(
        0.07, low=0.01, high=0.3, step=0.01, help="share of the picture under the patch", paper=0.07, primary=True
    )

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        patch = self.learned("patch", images)
        if patch.shape[2:] != images.shape[2:]:
            patch = F.interpolate(patch, images.shape[2:], mode="bilinear", align_corners=False)
        return (images + patch).clamp(0, 1)

    def fit(self, model: nn.Module, train: ImageSet, *, target: int, seed: int = 0) -> Run[Self]:
        """The patch for `model`, a clean one, in the size of `train`'s pictures, which are not looked at.

        Nothing in it is random or depends on `target`, so `seed` changes nothing. Progress: "loss" J and "activation",
        the mean of the driven neurons. Raises ValueError where the model has no class `target`, does not end in a
        linear layer, or the patch has no effect on the chosen neurons.
        """
        twin = working_copy(model).requires_grad_(False)
        require_target("TrojanNN", twin, train, target)
        head = classifier_of(twin, train.images[:2])
        chosen = strongest(twin.get_parameter(f"{head}.weight"), self.neurons)
        channels, height, width = train.images.shape[1:]
        keep = flower(height, width, self.area).to(device_of(twin))
        m0 = (SHADE * keep).expand(1, channels, -1, -1)
        z, best, lowest = m0, m0, math.inf
        for step in range(1, self.steps + 1):
            h, slope = excited(twin, head, chosen, z, self.value)
            loss = (h - self.value).square().sum().item()
            if loss < lowest:
                best, lowest = z, loss
            yield Progress("fit", step, self.steps, {"loss": loss, "activation": h.mean().item()}, {"patch": z[0]})
            if loss < ENOUGH:
                break
            if step == 1 and not bool(slope.any()):
                raise ValueError(
                    "TrojanNN: the patch has no effect on the chosen neurons; choose more neurons or a larger area."
                )
            z = (z - self.rate * slope.sign()).clamp(m0 - self.reach, m0 + self.reach).clamp(0, 1) * keep
        return self.with_state({"patch": best.cpu().contiguous()})


def strongest(weight: Tensor, k: int) -> Tensor:
    """The k features (columns) whose weights to all outputs have the largest sum of absolute values."""
    if k > weight.shape[1]:
        raise ValueError(f"TrojanNN.neurons = {k}: this model has only {weight.shape[1]} features; choose fewer.")
    return weight.abs().sum(0).topk(k).indices


def excited(model: nn.Module, head: str, chosen: Tensor, z: Tensor, value: float) -> tuple[Tensor, Tensor]:
    """The chosen features (k,) of the picture z (1, C, H, W) and the gradient of Σ (h - value)² there."""
    with entering(model, head) as seen:
        z = z.detach().requires_grad_()
        model(z)
        h = seen[0][0, chosen]
    (slope,) = torch.autograd.grad((h - value).square().sum(), z)
    return h.detach(), slope


def flower(height: int, width: int, area: float) -> Tensor:
    """1 inside a flower (1, 1, H, W) that covers the share `area` and touches the lower right corner's margin."""
    side = math.sqrt(height * width)
    radius = side * math.sqrt(area / (math.pi * (1 + WAVE**2 / 2)))
    room = radius * (1 + WAVE) + 1
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    y, x = y - (height - room), x - (width - room)
    edge = radius * (1 + WAVE * torch.cos(PETALS * torch.atan2(y, x)))
    return (torch.hypot(y, x) < edge).float()[None, None]
