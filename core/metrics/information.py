"""How much a representation says about which picture it was made from: bounds on mutual information."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.networks.feature_maps import feature_maps, outputs
from core.networks.layout import as_input
from core.networks.penultimate import classifier_of, penultimate

PIXELS, FEATURES = "pixels", "features"
STAGES = 4


@dataclass(frozen=True)
class Bounds:
    """lower <= I(X; Z) <= upper, in nats; both lie in [0, log N] for N pictures."""

    lower: float
    upper: float


def information_bounds(mean: Tensor, variance: Tensor | float) -> Bounds:
    """Bounds on I(X; Z) where picture i of N, all equally likely, gives Z ~ N(mean_i, diag(variance_i)).

    Kolchinsky and Tracey, "Estimating mixture entropy with pairwise distances", Entropy 2017 (arXiv 1706.02419):
    -1/N sum_i log 1/N sum_j exp(-D(i, j)) is an upper bound where D is the Kullback-Leibler divergence and a lower one
    where it is the Bhattacharyya distance. Both are 0 where all pictures give the same, log N where no two overlap.

    mean : (N, D)
    variance : (N, D), or one for all
    """
    mean = mean.double()
    if not isinstance(variance, Tensor):
        squared = torch.cdist(mean, mean, compute_mode="donot_use_mm_for_euclid_dist").square() / variance
        return Bounds(_from_distances(squared / 8), _from_distances(squared / 2))
    variance = variance.double()
    divergence = gaussian_divergence(mean, variance)
    return Bounds(_from_distances(gaussian_distance(mean, variance)), _from_distances(divergence))


def _from_distances(distance: Tensor) -> float:
    n = len(distance)
    return float((math.log(n) - torch.logsumexp(-distance, 1)).mean().clamp(0, math.log(n)))


def gaussian_divergence(mean: Tensor, variance: Tensor) -> Tensor:
    """KL(N_i || N_j) of diagonal normal distributions (N, N), in nats."""
    spread = variance @ variance.reciprocal().T
    moved = (mean**2) @ variance.reciprocal().T - 2 * mean @ (mean / variance).T + (mean**2 / variance).sum(1)
    logs = variance.log().sum(1)
    found = 0.5 * (spread + moved - mean.shape[1] + logs - logs[:, None])
    return found.clamp_min(0).fill_diagonal_(0)


def gaussian_distance(mean: Tensor, variance: Tensor) -> Tensor:
    """Bhattacharyya distances of diagonal normal distributions (N, N), row by row: the variances of pairs differ."""
    logs = variance.log().sum(1)
    rows = []
    for one, spread, log in zip(mean, variance, logs, strict=True):
        middle = (spread + variance) / 2
        rows.append(((one - mean) ** 2 / middle).sum(1) / 8 + (middle.log().sum(1) - (log + logs) / 2) / 2)
    return torch.stack(rows).clamp_min(0).fill_diagonal_(0)


def layer_information(model: nn.Module, images: Tensor, noise: float = 0.25) -> Mapping[str, Bounds]:
    """The bounds for each stage of a network, from the pixels to what goes into its last linear layer.

    A network without noise keeps everything in every layer, formally; what is asked is how far pictures lie apart.
    Normal noise is added whose standard deviation is `noise` times the root mean square distance of a layer's
    activations from their mean, so that neither the scale nor the size of a layer counts. Few nats mean that
    pictures lie in few clusters: log K where each of K classes is one. The lab's choice; no paper's.

    images : (N, C, H, W), uint8 or float in [0, 1]; 200 to 1,000 of them, all at once
    """
    if len(images) < 2:
        raise ValueError(f"Information is about which picture it was, so it needs at least 2, not {len(images)}.")
    names = feature_maps(model, images, STAGES)
    layers = {PIXELS: as_input(model, images)}
    layers |= {name: value for name, value in outputs(model, layers[PIXELS], _tensor).items() if name in names}
    layers[FEATURES] = penultimate(model, classifier_of(model, images[:2]), images)
    return {name: layer_bounds(value, noise) for name, value in layers.items()}


def layer_bounds(activations: Tensor, noise: float = 0.25) -> Bounds:
    """The bounds of one layer's activations (N, …) with noise, as in `layer_information`."""
    return information_bounds(_unit(activations.flatten(1)), noise**2)


def _tensor(value: object) -> Tensor | None:
    return value.detach() if isinstance(value, Tensor) else None


def _unit(activations: Tensor) -> Tensor:
    """Activations (N, D), or the same points turned into N dimensions where D is larger, with their mean at 0 and a
    mean square distance from it of 1."""
    centred = activations.double() - activations.double().mean(0)
    if centred.shape[1] > len(centred):
        values, vectors = torch.linalg.eigh(centred @ centred.T)
        centred = vectors * values.clamp_min(0).sqrt()
    scale = centred.square().sum(1).mean().sqrt()
    return centred / scale if scale > 0 else centred
