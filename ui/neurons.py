"""What the Neurons page shows: the rankings on offer, the runs behind them, and a model without some channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from torch import Tensor

    from core.metrics import Scores
    from lab.recipes import Recipe
    from lab.results import Result
    from models import Classifier
    from ui.sidebar import Choice

FEW = 100
"""Pictures on which a model with channels set to zero is scored while the page waits."""

Channel = tuple[str, int]


@dataclass(frozen=True)
class Ranking:
    """One way to rank channels: its key in a defense's report, its name, and what to look for."""

    kind: str
    name: str
    about: str


RANKINGS = (
    Ranking("nwc", "NWC", "TSBD: how far its weights move while clean pictures are unlearned"),
    Ranking("anp", "ANP mask", "ANP: how far its mask is lowered under adversarial noise on the weights"),
    Ranking("uclc", "CLP bound", "CLP: its Lipschitz bound, in standard deviations above its layer's mean"),
    Ranking("rnp", "RNP mask", "RNP: how far its mask is lowered while an unlearned model recovers"),
)
"""The rankings on offer."""


def recipe(ranking: Ranking, choice: Choice, form: str, n: int) -> Recipe:
    """The run behind a ranking: the oracle on the result of the defense, whose report has the ranking."""
    from lab.channel_rankings import ranked

    return ranked(ranking.kind, choice.model, choice.data, n, form=form)


def scores(result: Result, kind: str) -> dict[str, Tensor]:
    """One ranking of a finished run, by layer."""
    from core.networks.report import by_layer

    return by_layer(result.images, kind)


def written(channels: Iterable[Channel]) -> str:
    """Channels as a link holds them: "net.layer4.0.conv1:27, net.conv1:3"."""
    return ", ".join(f"{layer}:{channel}" for layer, channel in channels)


def read(text: str, layers: Mapping[str, int]) -> tuple[Channel, ...]:
    """The channels of such a text; `layers` says how many each layer has.

    Raises ValueError in one sentence on a text that names no channel of the model.
    """
    found: list[Channel] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        layer, _, number = part.rpartition(":")
        if not number.isdecimal() or int(number) >= layers.get(layer, 0):
            example = next(iter(layers))
            raise ValueError(f"{part[:60]} is no channel of this model; write layer:channel, such as {example}:0.")
        found.append((layer, int(number)))
    return tuple(dict.fromkeys(found))


def changed(channels: Sequence[Channel], clicked: Channel) -> tuple[Channel, ...]:
    """`channels` and the one that was clicked; a channel that was among them is as it was again."""
    rest = tuple(channel for channel in channels if channel != clicked)
    return rest if len(rest) < len(channels) else (*rest, clicked)


def layers(model: Classifier) -> dict[str, int]:
    """The number of channels of each layer that has some to set to zero."""
    from core.networks.channels import neuron_layers

    names = set(neuron_layers(model))
    return {name: module.weight.shape[0] for name, module in model.named_modules() if name in names}


@st.cache_data(max_entries=256, show_spinner=False)
def zeroed(model: str, data: str, channels: tuple[Channel, ...]) -> Scores:
    """ACC, ASR and RA of a model with these channels set to zero, on the first `FEW` test pictures."""
    from core.metrics import evaluate
    from core.networks.channels import without
    from lab.kinds.shared.setting import backdoor_of, test_images
    from lab.loading import classifier
    from lab.recipes import Recipe
    from lab.running.compute_lock import compute_lock

    with compute_lock:
        net = classifier(model)
        own = Recipe(net.trigger, model, data, {"n": FEW})  # type: ignore[arg-type]  # only backdoored models come here
        backdoor, test = backdoor_of(own, net), test_images(own, net)
        return evaluate(without(net, channels) if channels else net, test, **backdoor.arguments)


def chance(tac: dict[str, Tensor], k: int) -> tuple[Channel, ...]:
    """The control: k channels drawn by a fixed seed."""
    import torch

    every = [(name, channel) for name, value in tac.items() for channel in range(len(value))]
    picks = torch.randperm(len(every), generator=torch.Generator().manual_seed(0))[:k].tolist()
    return tuple(every[place] for place in picks)
