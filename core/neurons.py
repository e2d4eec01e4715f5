"""Channels as suspects: what each defense says of them, how that agrees with the oracle, and what each is good for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.channels import FORMS, channel_change, neuron_layers
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.metrics import Trigger, goal, stamped
from core.modes import working_copy
from core.runs import Run

Scores = Mapping[str, Tensor]
"""One number per output channel by layer name: name -> (channels,)."""


@dataclass(frozen=True)
class TAC(Method):
    """Trigger-activated change of every channel, the oracle ranking (Zheng et al., ECCV 2022, arXiv 2208.03111).

    See `core.channels.trigger_activated_change` for both forms. It needs the trigger: a defense may
    be compared with it and must not use it.
    """

    form: str = knob("l2", choices=FORMS, help="how a change of a feature map becomes one number")

    def run(self, model: nn.Module, images: Tensor, triggered: Tensor, *, seed: int = 0) -> Run[dict[str, Tensor]]:
        """TAC by layer name, (channels,). `images` and `triggered` (N, C, H, W) are the same pictures without and with
        the trigger, none of the target class; nothing is random. Raises ValueError where they do not pair."""
        private = working_copy(model)  # it is hooked, and the model may be shared
        return (yield from channel_change(private, images, triggered, neuron_layers(private), form=self.form))


RANKINGS = [TAC]


def pairs(data: ImageSet, *, trigger: Trigger, target: int | None, mode: str) -> tuple[Tensor, Tensor]:
    """The pictures whose class is not the one the backdoor asks for, without (uint8) and with the trigger (float).

    Of an any-to-any backdoor the trigger of one class is taken, `target` or the first. Raises ValueError where no
    picture is left.
    """
    wanted = goal(data.labels, "all-to-one" if mode == "any-to-any" else mode, target or 0, len(data.class_names))
    others = data[wanted != data.labels]
    if not len(others):
        raise ValueError("Every picture is of the target class already; give pictures of other classes.")
    targets = torch.full_like(others.labels, target or 0) if mode == "any-to-any" else None
    return others.images, stamped(trigger, others, targets)


REPORTED = ("nwc", "anp", "uclc", "rnp")
"""What a repair's `report` may say of channels: TSBD's weight change, ANP's mask, CLP's bound, RNP's mask."""


def suspicion(report: Mapping[str, object], kind: str) -> dict[str, Tensor]:
    """A report's "<kind>/<layer>" entries as scores of which the larger is the more suspicious; {} where it has none.

    "nwc" is taken as it is; a mask m as 1 - m, since the channels with the smallest are pruned; "uclc" in standard
    deviations above its layer's mean, which is what CLP compares with u.
    """
    head = f"{kind}/"
    found = {
        name.removeprefix(head): value.detach().float().cpu()
        for name, value in report.items()
        if name.startswith(head) and isinstance(value, Tensor)
    }
    if kind in ("anp", "rnp"):
        return {name: 1 - mask for name, mask in found.items()}
    if kind == "uclc":
        return {name: (bound - bound.mean()) / bound.std().clamp_min(1e-12) for name, bound in found.items()}
    return found


def common(scores: Scores, oracle: Scores) -> tuple[Tensor, Tensor]:
    """Two rankings of the channels that both know, layers one after the other: (N,) and (N,).

    A norm after a residual sum has a mask and no convolution of its own, so that some channels are known to one only.
    """
    names = [name for name in oracle if name in scores and len(scores[name]) == len(oracle[name])]
    if not names:
        raise ValueError("The two rankings have no layer in common; take both from the same model.")
    return torch.cat([scores[name].float() for name in names]), torch.cat([oracle[name].float() for name in names])


def top(scores: Tensor, k: int) -> Tensor:
    """How far each channel (N,) belongs to the k highest, in [0, 1]; those that tie for the last places share them."""
    if k <= 0:
        return torch.zeros_like(scores)
    last = scores.topk(min(k, len(scores))).values[-1]
    above, tied = scores > last, scores == last
    return above.float() + tied.float() * (min(k, len(scores)) - above.sum()) / tied.sum()


def overlap(scores: Scores, oracle: Scores, shares: Sequence[float]) -> list[float]:
    """Share of the oracle's top k channels that are among the top k of `scores`, for k = share x N, at least 1.

    Over the channels that both know, all layers together. A random ranking is expected to reach k / N, which is the
    share itself; a ranking that says nothing (all ties) reaches exactly that.
    """
    ours, theirs = common(scores, oracle)
    counts = [max(1, round(share * len(ours))) for share in shares]
    return [float((top(ours, k) * top(theirs, k)).sum() / k) for k in counts]


def standing(scores: Scores) -> dict[str, Tensor]:
    """The common rank axis: each channel's place among all, from 0 (lowest) to 1 (highest); ties share theirs."""
    flat = torch.cat([value.float() for value in scores.values()])
    _, place, count = flat.unique(return_inverse=True, return_counts=True)
    middle = count.cumsum(0) - (count + 1) / 2  # the mean of the places that equal values take, from 0
    ranks = middle[place] / max(1, len(flat) - 1)
    return dict(zip(scores, ranks.split([len(value) for value in scores.values()]), strict=True))


def highest(scores: Scores, k: int) -> list[tuple[str, int]]:
    """The k highest channels as (layer, channel), highest first."""
    every = [(name, channel) for name, value in scores.items() for channel in range(len(value))]
    flat = torch.cat([value.float() for value in scores.values()])
    return [every[place] for place in flat.argsort(descending=True, stable=True)[:k].tolist()]


def without(model: nn.Module, channels: Sequence[tuple[str, int]]) -> nn.Module:
    """A copy of `model`, in eval mode, in which the weights and biases of these output channels are zero.

    Raises ValueError for a layer or channel that the model does not have.
    """
    copy = working_copy(model).requires_grad_(False)
    layers = dict(copy.named_modules())
    with torch.no_grad():
        for name, channel in channels:
            layer = layers.get(name)
            weight = getattr(layer, "weight", None)
            if not isinstance(weight, Tensor) or weight.ndim < 2 or not 0 <= channel < len(weight):
                raise ValueError(f"This model has no channel {channel} in a layer {name!r}.")
            weight[channel] = 0
            bias = getattr(layer, "bias", None)
            if isinstance(bias, Tensor):
                bias[channel] = 0
    return copy
