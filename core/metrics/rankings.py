"""Channel rankings: those that defenses report, how they agree with the oracle, and a common rank axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from core.networks.report import by_layer

ChannelScores = Mapping[str, Tensor]
"""One number per output channel by layer name: name -> (channels,)."""


REPORTED = ("nwc", "anp", "uclc", "rnp")
"""What a repair's `report` may say of channels: TSBD's weight change, ANP's mask, CLP's bound, RNP's mask."""


def suspicion(report: Mapping[str, object], kind: str) -> dict[str, Tensor]:
    """A report's "<kind>/<layer>" entries as scores of which the larger is the more suspicious; {} where it has none.

    "nwc" is taken as it is; a mask m as 1 - m, since the channels with the smallest are pruned; "uclc" in standard
    deviations above its layer's mean, which is what CLP compares with u.
    """
    entries = by_layer(report, kind)
    found = {name: value.detach().float().cpu() for name, value in entries.items() if isinstance(value, Tensor)}
    if kind in ("anp", "rnp"):
        return {name: 1 - mask for name, mask in found.items()}
    if kind == "uclc":
        return {name: (bound - bound.mean()) / bound.std().clamp_min(1e-12) for name, bound in found.items()}
    return found


def common(scores: ChannelScores, oracle: ChannelScores) -> tuple[Tensor, Tensor]:
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


def overlap(scores: ChannelScores, oracle: ChannelScores, shares: Sequence[float]) -> list[float]:
    """Share of the oracle's top k channels that are among the top k of `scores`, for k = share x N, at least 1.

    Over the channels that both know, all layers together. A random ranking is expected to reach k / N, which is the
    share itself; a ranking that says nothing (all ties) reaches exactly that.
    """
    ours, theirs = common(scores, oracle)
    counts = [max(1, round(share * len(ours))) for share in shares]
    return [float((top(ours, k) * top(theirs, k)).sum() / k) for k in counts]


def standing(scores: ChannelScores) -> dict[str, Tensor]:
    """The common rank axis: each channel's place among all, from 0 (lowest) to 1 (highest); ties share theirs."""
    flat = torch.cat([value.float() for value in scores.values()])
    _, place, count = flat.unique(return_inverse=True, return_counts=True)
    middle = count.cumsum(0) - (count + 1) / 2  # the mean of the places that equal values take, from 0
    ranks = middle[place] / max(1, len(flat) - 1)
    return dict(zip(scores, ranks.split([len(value) for value in scores.values()]), strict=True))


def highest(scores: ChannelScores, k: int) -> list[tuple[str, int]]:
    """The k highest channels as (layer, channel), highest first."""
    every = [(name, channel) for name, value in scores.items() for channel in range(len(value))]
    flat = torch.cat([value.float() for value in scores.values()])
    return [every[place] for place in flat.argsort(descending=True, stable=True)[:k].tolist()]
