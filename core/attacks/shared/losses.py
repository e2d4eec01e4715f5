"""Losses that an attack raises beside the cross-entropy: of a problem's images and their logits (N, K), as (N,)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.attacks.shared.problem import Problem

Loss = Callable[[Problem, Tensor], Tensor]
"""The images under attack and their logits (N, K) -> what the attacker raises, (N,)."""

TINY = 1e-12
"""Kept from zero by this, as in the authors' code."""


def dlr(problem: Problem, logits: Tensor) -> Tensor:
    """Difference of logits ratio (Croce and Hein, ICML 2020, https://arxiv.org/abs/2003.01690), at least 3 classes:

        -(z_y - max of the others) / (z_1 - z_3)

    z_1 >= z_2 >= … are the sorted logits. It does not change where logits are scaled or shifted, and is positive where
    the class is left. With a target it is `targeted_dlr` towards it.
    """
    if problem.classes < 3:
        raise ValueError(
            f"The DLR loss compares three logits, and the model knows {problem.classes} classes; choose loss='ce'."
        )
    if problem.sign < 0:
        return targeted_dlr(problem, logits)
    ranked = logits.topk(3, dim=1).values
    return -problem.margin(logits) / (ranked[:, 0] - ranked[:, 2] + TINY)


def targeted_dlr(problem: Problem, logits: Tensor) -> Tensor:
    """The same towards a class t, the problem's rival or else its target:

        -(z_y - z_t) / (z_1 - (z_3 + z_4) / 2)

    With three classes z_4 does not exist and z_3 stands alone; with two there is nothing to divide by, and the
    difference of the two logits is what is raised.
    """
    rival = problem.goal if problem.rival is None else problem.rival
    own = torch.where(problem.labels == rival, problem.others(logits.detach()).argmax(1), problem.labels)
    lead = (logits.gather(1, rival[:, None]) - logits.gather(1, own[:, None]))[:, 0]
    if problem.classes < 3:
        return lead
    ranked = logits.topk(min(4, problem.classes), dim=1).values
    return lead / (ranked[:, 0] - ranked[:, 2:].mean(1) + TINY)
