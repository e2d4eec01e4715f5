"""Signs that a robust accuracy is too high."""

from __future__ import annotations

from torch import Tensor

from core.attacks.inputs.autoattack.cascade import Stage
from core.attacks.shared.problem import Problem

DRIFT, SHARE = 1e-4, 0.002
"""Logits that differ by more, over their largest, count as random; more pictures than this for Square as a sign."""


def warnings(problem: Problem, logits: Tensor, again: Tensor, stages: list[Stage]) -> list[str]:
    """Why the robust accuracy may be too high, one sentence each; the authors' code gives the same warnings.

    logits, again : of two passes over the same images, (N, K)
    """
    found = []
    if bool((logits >= 0).all()) and bool(((logits.sum(1) - 1).abs() < 1e-3).all()):
        found.append("The model seems to answer with probabilities, whose gradients vanish; give its logits instead.")
    if bool(((logits - again).abs().amax(1) > DRIFT * logits.abs().amax(1)).any()):
        found.append("Two passes over the same images gave different logits; a random model looks too robust.")
    if problem.classes < 4 and problem.sign > 0:
        few = f"The targeted DLR loss compares 4 logits, and the model knows {problem.classes} classes"
        found.append(f"{few}: {'z_3 stands alone in it' if problem.classes == 3 else 'the margin stands in for it'}.")
    if stages and stages[-1].name == "Square" and stages[-1].broken > SHARE * len(problem):
        found.append(
            f"Square, which uses no gradient, broke {stages[-1].broken} of {len(problem)} images that the attacks with "
            "gradients had left: these may be masked."
        )
    return found
