"""The boundaries between classes, with the network taken as linear: which are tried, and which is the nearest."""

from __future__ import annotations

import torch
from torch import Tensor

from core.attacks.shared.problem import Problem

DUAL = {"linf": 1, "l2": 2, "l1": torch.inf}
"""The order of the norm that a gradient is measured in where changes are measured in this one."""


def likeliest(problem: Problem, logits: Tensor, count: int) -> Tensor:
    """The classes whose boundaries an attack tries, (N, k): the target, or the `count` likeliest but the label's."""
    if problem.sign < 0:
        return problem.goal[:, None]
    return problem.others(logits).topk(min(count, problem.classes - 1)).indices


def gaps(problem: Problem, rivals: Tensor, logits: Tensor) -> Tensor:
    """f_k of each rival (N, k): its logit less that of the class to leave, or of the one that stands against the
    target."""
    own = problem.goal
    if problem.sign < 0:
        own = problem.others(logits.detach()).argmax(1)
    return logits.gather(1, rivals) - logits.gather(1, own[:, None])


def nearest(problem: Problem, gap: Tensor, slopes: Tensor, norm: str) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest boundary of each image: its distance |f_k| / ||grad f_k||, the gap f_k (N,), the slope (N, C, H, W).

    gap : (N, k);  slopes : (N, k, C, H, W), which count inside the mask only
    """
    if problem.mask is not None:
        slopes = slopes.masked_fill(~problem.mask[:, None], 0)
    lengths = torch.linalg.vector_norm(slopes.flatten(2), DUAL[norm], dim=2).clamp_min(1e-12)
    distance, at = (gap.abs() / lengths).min(1)
    every = torch.arange(len(gap), device=gap.device)
    return distance, gap[every, at], slopes[every, at]
