"""A learning rate that fits the network: the largest one, up to the knob, that keeps the accuracy on clean images.

The higher the learning rate, the more a repair forgets of the backdoor, and of the rest; how much a network can take
depends on its normalisation, its depth and how it was trained. So the knob is an upper bound: it is tried first, and
where it keeps the floor nothing else is. A run that diverges or is hopeless half way is closed and followed by a
quarter of its rate; one that ends below the floor, by bisection between rates on a logarithmic scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import nn

from core.data.imageset import ImageSet
from core.defenses.shared.selection import Choice, accuracy, choose
from core.knobs import Method
from core.optim.train import Diverged
from core.runs import Progress, Run, until

PATIENCE = 20
"""Steps in a row with a loss at chance level after which a run counts as diverged."""
HOPELESS = 0.15
"""How far below the floor the accuracy half way may be; the second half of a cosine has not made up for more."""
LOWEST = 1e-4
"""Share of the upper bound under which no learning rate is tried."""


def tuned(method: Method, tune: Callable[[float], Run[nn.Module]], validation: ImageSet, before: float) -> Run[Choice]:
    """The model that `tune` makes with a learning rate from (0, lr], picked by the knobs of `method`: its "selection",
    "lr", "tau" and "candidates".

    "fixed": lr itself. Any other selection: bisection by `choose` for the largest one with an accuracy of at least
    (1 - tau) `before` on the validation images. `tune` starts from the same model and draws the same batches every
    time. Raises Diverged where the loss diverges at every rate.
    """
    selection, upper, tau, candidates = (getattr(method, name) for name in ("selection", "lr", "tau", "candidates"))
    rule, floor = "fixed" if selection == "fixed" else "clean", (1 - tau) * before

    def attempt(lr: float) -> Run[nn.Module | None]:
        if rule == "fixed":
            return (yield from tune(lr))
        return (yield from unless_failing(tune(lr), lr / upper, validation, floor))

    def score(model: nn.Module) -> float:
        return accuracy(model, validation)

    return (yield from choose(rule, upper, attempt, score, floor=floor, candidates=candidates, between=between))


def unless_failing(run: Run[nn.Module], share: float, validation: ImageSet, floor: float) -> Run[nn.Module | None]:
    """`run`, at this share of the upper bound, closed with None as soon as it has failed.

    Diverged: the loss is not finite, or at chance level (ln K, or that of the start if higher) for `PATIENCE` steps;
    an error where a share below `LOWEST` diverges still. Hopeless: half way through a stage more than `HOPELESS`
    below the floor; what stands at a sixteenth or less runs to its end, since something has to be handed back.
    """
    chance, first, stuck = math.log(len(validation.class_names)), math.nan, 0

    def failed(progress: Progress) -> bool:
        nonlocal first, stuck
        loss = progress.metrics.get("loss")
        if loss is None or progress.model is None:
            return False
        first = loss if math.isnan(first) else first
        stuck = stuck + 1 if loss >= 0.9 * max(chance, first) else 0
        if stuck >= PATIENCE and share >= LOWEST:
            return True
        half = 2 * progress.step == progress.total
        return half and share > 1 / 16 and accuracy(progress.model, validation) < floor - HOPELESS

    try:
        return (yield from until(run, failed))
    except Diverged:
        if share < LOWEST:
            raise
        return None


def between(low: float, high: float) -> float | None:
    """The rate to try next when `low` kept the floor (0: none yet) and `high` did not; None once they are close."""
    if low == 0:
        return high / 4
    return math.sqrt(low * high) if high > 2 * low else None


def lr_report(before: float, chosen: Choice) -> dict[str, float]:
    """The validation figures, "lr" (the one chosen), and "validation/lr=…" for each that was tried to the end."""
    tried = {f"validation/lr={lr:g}": score for lr, score in chosen.tried.items()}
    return chosen.figures(before) | {"lr": chosen.strength} | tried
