"""What the tests of fitted triggers share: one fit driven by hand, and a smooth or small state without a fit."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.runs import Progress
from core.triggers import SSBA, LowFrequency, TrojanNN
from core.triggers.low_frequency import spread
from core.triggers.ssba.steganography import Decoder, Encoder
from core.triggers.trojan_nn import flower

SHORT = [
    LowFrequency(pictures=20, passes=2, steps=2),
    TrojanNN(steps=5),
    SSBA(steps=3, batch_size=4, pictures=20),
]


def driven(trigger: Any, model: nn.Module, train: ImageSet, **given: Any) -> tuple[Any, list[Progress]]:
    """The fitted trigger and every progress on the way."""
    run, seen = trigger.fit(model, train, **{"target": 1, **given}), []
    while True:
        try:
            seen.append(next(run))
        except StopIteration as end:
            return end.value, seen


def without_a_fit() -> list[Any]:
    """The three triggers in the state of some fit, for pictures of 32 pixels."""
    ramp = torch.linspace(-1, 1, 32).cumsum(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        nets = {"encoder": Encoder(32), "decoder": Decoder(32)}
    weights = {f"{kind}.{name}": value for kind, net in nets.items() for name, value in net.state_dict().items()}
    return [
        LowFrequency().with_state({"pattern": spread((ramp + ramp[:, None]).expand(1, 3, 32, 32))}),
        TrojanNN().with_state({"patch": 0.5 * flower(32, 32, 0.07).expand(1, 3, 32, 32)}),
        SSBA().with_state(weights),
    ]
