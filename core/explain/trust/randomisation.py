"""Cascading randomisation: destroy the weights from the top down; a map that stays does not explain the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.gradcam import GradCAM
from core.explain.heatmaps.slow import explained
from core.knobs import Method, knob
from core.metrics.correlation import rank_correlations
from core.networks.model_state import working_copy
from core.runs import Run, part


@dataclass(frozen=True)
class Cascade:
    """The maps of a model whose layers are random, more of them each time.

    layers : names in the order in which they were randomised, from the output down
    maps : raw (L + 1, N, H, W); the first are those of the model as it is
    similarity : (L + 1, N) float64, rank correlation with the first; NaN where a map is constant
    """

    layers: tuple[str, ...]
    maps: Tensor
    similarity: Tensor


@dataclass(frozen=True)
class Randomisation(Method):
    """The model-parameter test of Adebayo et al. (NeurIPS 2018, https://arxiv.org/abs/1810.03292), cascading.

    From the layer nearest to the answer down, each layer's weights are drawn anew by the layer's own scheme, batch
    norms with their statistics, and the same pictures are explained for the same classes. A map that stays does not
    depend on what was learned. Passing is necessary, not sufficient; taking the absolute value of signed maps can turn
    the verdict around.
    """

    explainer: Method = knob(GradCAM(), help="the method under test")
    absolute: bool = knob(False, help="compare absolute values")

    def run(self, model: nn.Module, images: Tensor, targets: int | Tensor, *, seed: int = 0) -> Run[Cascade]:
        """Cascade of images (N, C, H, W) in [0, 1]; the model is not changed."""
        images, classes = asked(model, images, targets)
        stages, names = len(random_layers(model)) + 1, []
        run = explained(self.explainer, model, images, classes, seed)
        maps = [(yield from part(run, "randomise", 0, stages))]
        for name, damaged in damages(model, seed):
            names.append(name)
            run = explained(self.explainer, damaged, images, classes, seed)
            maps.append((yield from part(run, "randomise", len(names), stages)))
        seen = [one.abs() if self.absolute else one for one in maps]
        similarity = torch.stack([rank_correlations(seen[0], one) for one in seen]).cpu()
        return Cascade(tuple(names), torch.stack(maps), similarity)


def damages(model: nn.Module, seed: int = 0) -> Iterator[tuple[str, nn.Module]]:
    """A copy of the model, with one more layer drawn anew each time, from the last registered to the first."""
    twin = working_copy(model).requires_grad_(False)
    for place, name in enumerate(random_layers(model)):
        with torch.random.fork_rng([p.device for p in twin.parameters() if p.is_cuda][:1]):
            torch.manual_seed(seed + place)
            twin.get_submodule(name).reset_parameters()  # type: ignore[operator]
        yield name, twin


def random_layers(model: nn.Module) -> list[str]:
    """Names of the layers that can draw their weights anew, in the order in which they do: from the last registered."""
    found = [
        name for name, module in model.named_modules()
        if callable(getattr(module, "reset_parameters", None)) and list(module.parameters(recurse=False))
    ]  # fmt: skip
    return found[::-1]
