"""Schedules: what an optimiser is set to, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Schedule = Callable[[int], dict[str, float]]
"""Step 1, 2, … -> the settings of the optimiser's parameter groups: "lr", and "momentum" where it moves as well."""

SCHEDULES = ("constant", "cosine")
"""Those that a repair's knob can name."""
TRAININGS = ("one-cycle", "cosine", "piecewise")
"""Those that a training's knob can name."""


def named(name: str, lr: float, steps: int) -> Schedule:
    """The schedule of this name, one of `SCHEDULES`."""
    return constant(lr) if name == "constant" else cosine(lr, steps)


def constant(lr: float) -> Schedule:
    """lr throughout."""
    return lambda step: {"lr": lr}


def cosine(lr: float, steps: int) -> Schedule:
    """Half a cosine from lr at step 1 down towards 0, which it would reach one step after the last."""
    return lambda step: {"lr": lr * (1 + math.cos(math.pi * (step - 1) / steps)) / 2}


def stepped(lr: float, milestones: Sequence[int]) -> Schedule:
    """lr, a tenth of what it was after each of the milestones (numbers of steps)."""
    return lambda step: {"lr": lr / 10 ** sum(step > milestone for milestone in milestones)}


def piecewise(lr: float, steps: int) -> Schedule:
    """lr, a tenth of it after half of the steps, a hundredth after three quarters."""
    return stepped(lr, (steps // 2, steps * 3 // 4))


def warmed_up(steps: int, lr: float, then: Schedule) -> Schedule:
    """A line from lr / steps up to lr in the first `steps` steps, then the schedule `then` from its step 1."""
    return lambda step: {"lr": lr * step / steps} if step <= steps else then(step - steps)


def one_cycle(
    lr: float, steps: int, *, rise: float = 0.2, start: float = 25.0, end: float = 1e4,
    momenta: tuple[float, float] = (0.85, 0.95),
) -> Schedule:  # fmt: skip
    """The 1cycle policy (Smith and Topin, 2018, arXiv 1708.07120): learning rate up, then down; momentum the other way.

    Half a cosine from lr / start up to lr in the share `rise` of the steps, then another down to
    lr / start / end; meanwhile momentum falls from the higher of `momenta` to the lower, and climbs back. As in
    `torch.optim.lr_scheduler.OneCycleLR`. A cycle of fewer than 9 steps is cut short: it needs a few to have
    a rise and a fall.
    """
    last = max(steps, 9)
    top = rise * (last + 1) - 1
    low, high = momenta

    def between(first: float, second: float, share: float) -> float:
        return second + (first - second) / 2.0 * (math.cos(math.pi * share) + 1)

    def at(step: int) -> dict[str, float]:
        done = step - 1
        if done <= top:
            share = done / top
            return {"lr": between(lr / start, lr, share), "momentum": between(high, low, share)}
        share = (done - top) / (last - top)
        return {"lr": between(lr, lr / start / end, share), "momentum": between(low, high, share)}

    return at
