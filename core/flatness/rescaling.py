"""The same function with other weights: what a measure of flatness must not react to."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.flatness.average import AverageFlatness
from core.flatness.flatness import Flatness, Parts
from core.flatness.hessian import hessian_trace
from core.flatness.robust_loss import RobustLoss
from core.flatness.weights import lengths, movable, own_copy
from core.knobs import knob
from core.networks.bn_conv_pairs import bn_conv_pairs
from core.networks.layout import as_input
from core.networks.model_state import frozen
from core.networks.predictions import predict
from core.runs import Progress, Run

LAYERS = (nn.Conv2d, nn.Linear)
FEW = 4
"""Pictures by which two neighbouring layers are found, and by which it is seen that nothing else listens to them."""


@dataclass(frozen=True)
class Rescaled:
    """A network before and after it was rescaled: the same function, measured three ways.

    first, second : names of the layer that was multiplied and of the one that was divided
    gap : largest difference of a logit, as a share of the largest logit
    relative : (before, after) in nats, with the ball relative to each tensor: `AverageFlatness`
    absolute : (before, after) in nats, with balls of the same size for both; before it equals `relative`
    trace : (before, after), the trace of the Hessian of the robust loss, the examples held
    """

    first: str
    second: str
    gap: float
    relative: tuple[Flatness, Flatness]
    absolute: tuple[Flatness, Flatness]
    trace: tuple[float, float]


@dataclass(frozen=True)
class Rescaling(RobustLoss):
    """Is a measure of flatness one of the function, or of how it is written down? (Dinh et al., ICML 2017,
    https://arxiv.org/abs/1703.04933.)

    Between two layers with a ReLU between them, relu(k a) = k relu(a) for k > 0: the first layer (weight and bias, or
    those of its batch norm) times k and the weight of the second divided by k is the same network. The same draws of
    average-case flatness are then taken in relative balls and in balls of an absolute size, beside the trace of the
    Hessian (Hutchinson). k = 2, 4, 8 … and their reciprocals are exact in floating point.
    """

    factor: float = knob(
        8.0, low=0.25, high=16.0, step=0.25, symbol="k", help="the first layer is multiplied by it", primary=True
    )
    xi: float = knob(0.5, low=0.0, high=2.0, step=0.05, symbol="ξ", help="radius of the ball before rescaling")
    draws: int = knob(3, low=1, high=100, step=1, help="random perturbations of the weights", primary=True)
    probes: int = knob(5, low=1, high=100, step=1, help="random signs for the trace of the Hessian")

    def run(self, model: nn.Module, data: ImageSet, *, seed: int = 0) -> Run[Rescaled]:
        """Measure `model`, and its twin, on `data`; ValueError where no two layers can be rescaled."""
        yield Progress("find", 1, 1)
        net = own_copy(model, data.images)
        twin, first, second = rescaled(net, data.images[:FEW], self.factor)
        gap = _gap(predict(net, data.images), predict(twin, data.images))
        measure = AverageFlatness(
            loss=self.loss, eps=self.eps, alpha=self.alpha, steps=self.steps, xi=self.xi, draws=self.draws
        )
        radii = [self.xi * length for length in lengths(list(movable(net).values()))]
        before = yield from Parts("before rescaling", 1).part(measure.run(net, data, seed=seed))
        after = yield from Parts("relative ball", 1).part(measure.run(twin, data, seed=seed))
        naive = yield from Parts("absolute ball", 1).part(measure.run(twin, data, seed=seed, radii=radii))
        examples = yield from Parts("examples", 1).part(self.losses(net, data.pixels, data.labels, seed))
        labels = data.labels.to(examples.images.device)
        traces, parts = [], Parts("trace", 2)
        for each in (net, twin):
            curvature = hessian_trace(each, examples.images, labels, probes=self.probes, seed=seed)
            traces.append(statistics.fmean((yield from parts.part(curvature))))
        return Rescaled(first, second, gap, (before, after), (before, naive), (traces[0], traces[1]))


def rescaled(model: nn.Module, images: Tensor, factor: float) -> tuple[nn.Module, str, str]:
    """A copy of `model` in eval mode, one layer of it times `factor` and the next divided by it, and their names.

    The pair is the one nearest to the middle of the network that can be rescaled without changing the function, which
    is tried on `images` (uint8 or float in [0, 1], a few will do). Raises ValueError where there is none: no ReLU alone
    between two layers.
    """
    before = predict(model, images)
    pairs = _neighbours(model, images)
    order = sorted(range(len(pairs)), key=lambda place: abs(2 * place - len(pairs)))
    for first, second in (pairs[place] for place in order):
        if _gap(before, predict(_scaled(model, first, second, 2.0), images)) < 1e-5:
            return _scaled(model, first, second, factor), _layer_of(model, images, first), second
    raise ValueError(
        "No two layers of the model have just a ReLU between them, so it cannot be rescaled without changing what it "
        "computes; choose a convolutional network with ReLU, such as zoo:scenes-clean."
    )


def _scaled(model: nn.Module, first: str, second: str, factor: float) -> nn.Module:
    """A copy with weight and bias of one module times `factor`, and the weight of another divided by it."""
    twin = copy.deepcopy(model).eval()
    with torch.no_grad():
        for parameter in twin.get_submodule(first).parameters(recurse=False):
            parameter.mul_(factor)
        twin.get_submodule(second).get_parameter("weight").div_(factor)
    return twin


def _neighbours(model: nn.Module, images: Tensor) -> list[tuple[str, str]]:
    """(module with weight and bias, layer that is given relu of its output), in the order of computation."""
    left: dict[str, Tensor] = {}
    found: list[tuple[str, str]] = []
    hooks = []

    def enter(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            given = inputs[0].flatten(1)
            for source, output in left.items():
                if output.shape == given.shape and torch.equal(output.relu(), given):
                    found.append((source, name))

        return hook

    def leave(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            left[name] = output.flatten(1).clone()  # what follows may work in place

        return hook

    try:
        for name, module in model.named_modules():
            if isinstance(module, LAYERS):
                hooks.append(module.register_forward_pre_hook(enter(name)))
            if isinstance(module, (*LAYERS, nn.BatchNorm2d, nn.GroupNorm)):
                hooks.append(module.register_forward_hook(leave(name)))
        with frozen(model), torch.no_grad():
            model(as_input(model, images))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _layer_of(model: nn.Module, images: Tensor, name: str) -> str:
    """The convolution that a batch norm belongs to, with it; else the name itself."""
    conv = bn_conv_pairs(model, images).get(name)
    return name if conv is None else f"{conv} with {name}"


def _gap(before: Tensor, after: Tensor) -> float:
    """Largest difference of a logit, as a share of the largest logit."""
    return ((before - after).abs().max() / before.abs().max().clamp_min(1e-12)).item()
