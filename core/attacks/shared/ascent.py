"""The loop of the attacks that climb the loss step by step: PGD and what varies its step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradient, trace
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

Advance = Callable[[Tensor, Tensor, Problem, Tensor], Tensor]
"""x_{t-1}, the gradient there, the problem of these images, and their places in the batch -> x_t."""


def ascend(
    model: nn.Module, problem: Problem, start: Tensor, steps: int, advance: Advance, *, stop_early: bool
) -> Run[Adversarial]:
    """`steps` steps from `start`; the logits of a step's gradient judge the iterate it is taken at.

    stop_early : an image leaves the batch at its first success; otherwise all take every step and the last one counts

    The gradient is zero where the mask forbids a change. The report holds "loss", (N,), at the returned iterate.
    """
    adversarial, preview = start.clone(), PreviewRecorder()
    taken, loss = torch.zeros_like(problem.labels), torch.zeros_like(start[:, 0, 0, 0])
    success = torch.zeros_like(problem.labels, dtype=torch.bool)
    active = torch.arange(len(problem), device=start.device)
    for step in range(1, steps + 1):
        part = problem[active]
        logits, slope = gradient(model, adversarial[active], part.loss)
        success[active], loss[active] = part.solved(logits), part.loss(logits)
        numbers = trace(part, logits, success=success.float().mean())
        if stop_early:
            active, slope = active[~success[active]], slope[~success[active]]
        now = problem[active]
        adversarial[active] = advance(adversarial[active], now.allowed(slope), now, active)
        taken[active] = step
        pictures, factor = preview(problem.images, adversarial)
        yield Progress("attack", step, steps, numbers | factor, pictures)
        if not len(active):
            break
    if len(active):
        logits = require_finite(predict(model, adversarial[active])).to(loss.dtype)
        success[active], loss[active] = problem[active].solved(logits), problem[active].loss(logits)
    norms = norms_of(problem.images, adversarial)
    return Adversarial(adversarial, success, success, norms, taken, taken + 1, {"loss": loss})
