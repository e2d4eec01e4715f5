"""The cost of a large mask, raised and lowered class by class while triggers are inverted."""

from __future__ import annotations

import torch
from torch import Tensor

RAISE, LOWER = 2.0, 2.0**1.5
ENOUGH = 0.99  # a best norm above this share of the last one has not improved


class MaskCostSchedule:
    """Cost, best norm and early stop of K masks, all tensors (K,).

    Wang et al., IEEE S&P 2019. After `patience` epochs in a row with success >= `wanted` a class's
    cost is doubled, after as many below it is divided by 2^1.5. A class has stopped when its cost
    has moved both ways and its best norm has not improved by 1 % for 5 x `patience` epochs.

    best : the smallest norm among epochs with success >= `wanted`, infinite before the first
    success : the success that came with it
    stopped : bool; a stopped class keeps its best
    """

    def __init__(self, classes: int, cost: float, wanted: float, patience: int, device: torch.device):
        self.wanted, self.patience = wanted, patience
        self.cost = torch.full((classes,), cost, device=device)
        self.best = torch.full((classes,), torch.inf, device=device)
        self.success = torch.zeros(classes, device=device)
        self.stopped = torch.zeros(classes, dtype=torch.bool, device=device)
        self._raised, self._lowered = torch.zeros_like(self.stopped), torch.zeros_like(self.stopped)
        self._wins, self._losses, self._idle = (torch.zeros(classes, device=device) for _ in range(3))

    def update(self, success: Tensor, norm: Tensor) -> Tensor:
        """After an epoch with this success and mask norm, both (K,): bool (K,), the masks to keep."""
        searched = ~self.stopped
        won = success >= self.wanted
        better = searched & won & (norm < self.best)
        improved = better & (norm < ENOUGH * self.best)
        self.best = torch.where(better, norm, self.best)
        self.success = torch.where(better, success, self.success)
        opened = self.best < torch.inf
        self._idle = torch.where(improved, 0, self._idle + (searched & opened))
        self.stopped |= self._raised & self._lowered & (self._idle >= 5 * self.patience)
        self._wins = torch.where(won, self._wins + 1, 0)
        self._losses = torch.where(won, 0, self._losses + 1)
        up, down = self._wins >= self.patience, self._losses >= self.patience
        self.cost = torch.where(up, self.cost * RAISE, torch.where(down, self.cost / LOWER, self.cost))
        self._wins, self._losses = self._wins.where(~up, 0), self._losses.where(~down, 0)
        self._raised, self._lowered = self._raised | up, self._lowered | down
        return better
