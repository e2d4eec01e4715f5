"""How a defense chooses its strength without seeing the trigger, and what peeking at the attack would give.

A defender has clean images only. They are split once, 80 % to fit and 20 % to validate. The rule
"clean" takes the largest strength whose validation accuracy stays within a share `tau` of the
original; "fixed" takes the knob as it is; "oracle" asks for the attack success rate, as many
published scripts do, and is there for comparison. Clean accuracy carries no information about the
backdoor, so "clean" may stop before it is gone: a finding to show, not a bug. A strength is a share
of channels, a threshold or a learning rate: the more of it, the more of the backdoor is forgotten, and
of the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from core.data.imageset import ImageSet
from core.metrics import correct
from core.networks.predictions import predict
from core.runs import Progress, Run

RULES = ("clean", "fixed")
SELECTIONS = (*RULES, "oracle")
Oracle = Callable[[nn.Module], float]
"""A model's attack success rate in [0, 1], known to nobody who defends."""


@dataclass
class Choice:
    """A repaired model, the strength it was repaired with, and everything that was tried.

    An `accuracy` below the `floor` means that nothing that was tried kept it, and that this is the best of it.
    """

    model: nn.Module
    strength: float
    accuracy: float
    floor: float
    tried: dict[float, float] = field(default_factory=dict)

    def figures(self, before: float) -> dict[str, float]:
        """What every repair reports of its validation images, `before` being the accuracy of the model it got."""
        return {"validation/before": before, "validation/floor": self.floor, "validation/after": self.accuracy}


def fit_and_validation(clean: ImageSet, seed: int) -> tuple[ImageSet, ImageSet]:
    """80 % of the clean images to fit and 20 % to validate, drawn by `seed`."""
    return clean.split(0.8, seed)


def accuracy(model: nn.Module, data: ImageSet) -> float:
    """Share of `data` that the model classifies as its class."""
    return correct(predict(model, data.images), data.labels)


def require_oracle(method: str, selection: str, oracle: Oracle | None) -> None:
    """Raise ValueError unless the oracle rule, and it alone, comes with an oracle."""
    if selection == "oracle" and oracle is None:
        raise ValueError(f"{method} with selection='oracle' needs oracle=, a function from a model to its ASR.")


def halfway(low: float, high: float) -> float:
    """The middle of two strengths."""
    return (low + high) / 2


def choose(
    rule: str,
    upper: float,
    repair: Callable[[float], Run[nn.Module | None]],
    score: Callable[[nn.Module], float],
    *,
    floor: float,
    candidates: int,
    oracle: Oracle | None = None,
    between: Callable[[float, float], float | None] = halfway,
) -> Run[Choice]:
    """Repair with the strength that `rule` picks from (0, upper].

    "fixed": `upper` itself. "clean": bisection for the largest strength whose repaired model has
    `score` (validation accuracy) >= `floor`, `upper` first and at most `candidates` repairs; when
    none gets there, the one with the highest score. "oracle": of `candidates` evenly spaced
    strengths whose score is >= `floor`, the one with the lowest `oracle(model)`. A repair that returns
    None has failed at little cost: the bisection goes on below it, and it is not counted. `between(low, high)`
    is the strength to try next, or None to end the bisection early.
    """
    if rule == "oracle":
        assert oracle is not None
        return (yield from _peek(upper, repair, score, floor, candidates, oracle))
    best: Choice | None = None
    tried: dict[float, float] = {}
    low, high = 0.0, upper
    strength: float | None = upper
    total = candidates if rule == "clean" else 1
    while strength is not None and len(tried) < total:
        model = yield from repair(strength)
        if model is not None:
            now = Choice(model, strength, score(model), floor)
            tried[strength] = now.accuracy
            metrics = {"strength": strength, "validation": now.accuracy}
            yield Progress("select", len(tried), total, metrics, model=model)
            best = now if best is None or _better(now, best, floor) else best
        if strength in tried and tried[strength] >= floor:
            low = strength
        else:
            high = strength
        strength = between(low, high) if low < high else None
    assert best is not None
    best.tried = tried
    return best


def _better(now: Choice, best: Choice, floor: float) -> bool:
    """Stronger if both are accurate enough, else more accurate."""
    if min(now.accuracy, best.accuracy) >= floor:
        return now.strength > best.strength
    return now.accuracy > best.accuracy


def _peek(
    upper: float,
    repair: Callable[[float], Run[nn.Module | None]],
    score: Callable[[nn.Module], float],
    floor: float,
    candidates: int,
    oracle: Oracle,
) -> Run[Choice]:
    """The oracle rule of `choose`: lowest ASR among the accurate, else the most accurate."""
    tried: dict[float, float] = {}
    best: Choice | None = None
    key = (False, 0.0)
    for step in range(1, candidates + 1):
        strength = upper * step / candidates
        model = yield from repair(strength)
        assert model is not None
        now = Choice(model, strength, score(model), floor)
        asr = oracle(model)
        tried[strength] = now.accuracy
        metrics = {"strength": strength, "validation": now.accuracy, "oracle": asr}
        yield Progress("select", step, candidates, metrics, model=model)
        mine = (True, -asr) if now.accuracy >= floor else (False, now.accuracy)
        if best is None or mine > key:
            best, key = now, mine
    assert best is not None
    best.tried = tried
    return best
