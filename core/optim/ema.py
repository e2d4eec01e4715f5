"""An exponential moving average of a network's weights."""

from __future__ import annotations

import torch

from core.networks.model_state import Net, working_copy


class Average:
    """The moving average of a network that trains: after each step, average <- d average + (1 - d) weights.

    Buffers such as running statistics are averaged too, counters copied. In the first steps d is at most
    (1 + t) / (10 + t), so that the random first weights do not linger.
    """

    def __init__(self, model: Net, decay: float):
        self.model: Net = working_copy(model).requires_grad_(False)
        self.decay, self.steps = decay, 0
        self._theirs = list(model.state_dict(keep_vars=True).values())
        self._ours = list(self.model.state_dict(keep_vars=True).values())

    @torch.no_grad()
    def step(self) -> None:
        """Take in the weights as they stand."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        for ours, theirs in zip(self._ours, self._theirs, strict=True):
            if ours.is_floating_point():
                ours.lerp_(theirs, 1 - decay)
            else:
                ours.copy_(theirs)
