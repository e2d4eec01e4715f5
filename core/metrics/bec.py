"""Backdoor existence: how similar the trigger's channels still are after a defense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.data.modes import Trigger, stamped
from core.device import in_batches
from core.metrics.cka import cka_of_grams, gram
from core.metrics.tac import PAIRS, channel_change, require_pairs
from core.networks.channels import leaving, neuron_layers
from core.networks.layout import as_input
from core.networks.model_state import frozen
from core.runs import Progress, Run, finish

IMAGES = 500
"""Triggered images whose features are compared."""

SHARE = 0.1
"""Share of each layer's channels that count as the trigger's own, rounded down as released (one at least)."""


@dataclass(frozen=True)
class Existence:
    """A backdoor existence coefficient and what it is made of.

    value : BEC, 1 for the backdoored model and 0 for the clean one; may leave [0, 1]
    debiased : the same from the debiased estimator of CKA
    defended, clean : mean CKA with the backdoored model, S(D, A) and S(C, A)
    by_layer : CKA of the defended model by layer name
    images, channels : how many triggered images and how many channels were compared
    """

    value: float
    debiased: float
    defended: float
    clean: float
    by_layer: dict[str, float] = field(default_factory=dict)
    images: int = 0
    channels: int = 0


def existence(
    defended: nn.Module,
    backdoored: nn.Module,
    clean: nn.Module,
    images: Tensor,
    triggered: Tensor,
    *,
    share: float = SHARE,
    size: int = 100,
) -> Run[Existence]:
    """Backdoor existence coefficient (Zhu, Liang, Wu, NeurIPS 2024, https://arxiv.org/abs/2405.16134).

    BEC(D) = [S(D, A) - S(C, A)] / [1 - S(C, A)], where A is the backdoored, D the defended and C a
    clean model. S is the mean over layers of the linear CKA between the answers of A's own trigger
    channels: the `share` of a layer's channels (rounded down, one at least) with the largest
    trigger-activated change ("l2") in A. The same indices are read in all three models, although C,
    trained by itself, gives them no meaning: it is a floor, nothing more.

    images, triggered : (N, C, H, W), float in [0, 1] or uint8, the same pictures without and with
        the trigger. All pairs rank the channels, the first 500 triggered ones are compared.

    Layers are the convolutions inside the residual stages: no shortcut, not the stem. Raises
    ValueError where the three do not have the same layers. NaN where C equals A.
    """
    require_pairs(images, triggered)
    layers = _shared_layers(defended, backdoored, clean)
    change = yield from channel_change(backdoored, images, triggered, layers, size=size)
    chosen = {name: tac.topk(max(1, int(share * len(tac)))).indices for name, tac in change.items()}
    compared = triggered[:IMAGES]
    own = yield from _grams(backdoored, compared, chosen, size)
    theirs = []
    for model in (defended, clean):
        theirs.append((yield from _grams(model, compared, chosen, size)))
    biased = [{name: cka_of_grams(other[name], own[name]) for name in layers} for other in theirs]
    fair = [{name: cka_of_grams(other[name], own[name], debiased=True) for name in layers} for other in theirs]
    s_defended, s_clean = (_mean(layer) for layer in biased)
    return Existence(
        _coefficient(s_defended, s_clean), _coefficient(*(_mean(layer) for layer in fair)), s_defended, s_clean,
        biased[0], len(compared), sum(len(index) for index in chosen.values()),
    )  # fmt: skip


def _mean(by_layer: Mapping[str, float]) -> float:
    return sum(by_layer.values()) / len(by_layer)


def _coefficient(defended: float, clean: float) -> float:
    """[S(D, A) - S(C, A)] / [1 - S(C, A)]."""
    return (defended - clean) / (1 - clean) if clean != 1 else math.nan


def same_layers(*models: nn.Module) -> bool:
    """Whether all models have the same layers with channels, of the same shapes."""
    shapes = [
        {name: tuple(model.get_parameter(f"{name}.weight").shape) for name in neuron_layers(model)} for model in models
    ]
    return all(shape == shapes[0] for shape in shapes)


def _shared_layers(defended: nn.Module, backdoored: nn.Module, clean: nn.Module) -> list[str]:
    """The layers to compare, in A's order; ValueError unless D and C have them with as many channels."""
    if not same_layers(backdoored, defended, clean):
        raise ValueError(
            "The backdoor existence coefficient compares models of one architecture; the defended, the backdoored "
            "and the clean model have different layers."
        )
    layers = neuron_layers(backdoored)
    return layers[1:] or layers


def _grams(model: nn.Module, images: Tensor, chosen: Mapping[str, Tensor], size: int) -> Run[dict[str, Tensor]]:
    """The Gram matrix (N, N) of the chosen channels of each layer."""
    widths: list[int] = []
    parts: list[Tensor] = []

    @torch.no_grad()
    def forward(batch: Tensor) -> Tensor:
        model(as_input(model, batch))
        rows = [seen[name][:, index].flatten(1).float() for name, index in chosen.items()]
        widths[:] = [row.shape[1] for row in rows]
        return torch.cat(rows, 1)

    batches = images.split(size)
    for step, batch in enumerate(batches, start=1):
        with leaving(model, list(chosen)) as seen, frozen(model):
            parts.append(in_batches(forward, batch, size=size))
        yield Progress("existence", step, len(batches))
    return {name: gram(x) for name, x in zip(chosen, torch.cat(parts).split(widths, 1), strict=True)}


def bec(defended: nn.Module, backdoored: nn.Module, clean: nn.Module, data: ImageSet, trigger: Trigger) -> float:
    """Backdoor existence coefficient: 1 for the backdoored model, 0 for the clean one, see `existence`.

    At most 2,200 images of `data` rank the channels and the first 500 of those, triggered, are
    compared; leave out the pictures of the target class. Values outside [0, 1] are returned as they are.
    """
    data = data[:PAIRS]
    return finish(existence(defended, backdoored, clean, data.images, stamped(trigger, data))).value
