"""Stop at every stage of a run in the pool: the model as it was, what it had reached kept, the compute lock free."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from core.attacks import Regional
from core.defenses import TSBD, FinePruning
from core.runs import Run
from lab import loading
from lab.kinds.kind import Kind
from lab.lru_cache import LRUCache
from lab.recipes import Recipe
from lab.results import Result
from lab.running.compute_lock import ComputeLock
from lab.running.curve import Curve
from lab.running.pool import JobPool
from lab.settings import Settings
from lab.uploads import keep
from tests.support.fakes import Clock

pytestmark = pytest.mark.usefixtures("small")

LOADED = ("load",)
REPAIR = (*LOADED, "before")
RUNS: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "TSBD": (
        TSBD(unlearn_steps=2, steps=2, batch_size=8, candidates=1), {"n": 20},
        (*REPAIR, "unlearn", "reinitialise", "tune", "select", "after"),
    ),
    "TSBD-oracle": (
        TSBD(unlearn_steps=1, steps=1, batch_size=8, candidates=1, selection="oracle"), {"n": 20},
        (*REPAIR, "unlearn", "reinitialise", "tune", "select", "after"),
    ),
    "FinePruning": (
        FinePruning(steps=2, batch_size=8), {"n": 20}, (*REPAIR, "prune", "tune", "select", "after"),
    ),
    # Steps of length 0 fool nobody, so that the attack takes them all.
    "Regional": (
        Regional(steps=3, alpha=0.0, family="attention"),
        {"images": keep(torch.full((3, 32, 32), 90, dtype=torch.uint8))},
        (*LOADED, "attack", "control", "attack"),
    ),
}  # fmt: skip
CASES = [(name, turn) for name, (_, _, stages) in RUNS.items() for turn in range(len(stages))]


class Held:
    """A recipe whose run waits at the first moment of its stage number `turn` (0 is the first) until `go` is set."""

    def __init__(self, recipe: Recipe, turn: int):
        self.recipe, self.turn = recipe, turn
        self.reached, self.go = threading.Event(), threading.Event()
        self.closed = False

    def key(self) -> str:
        return f"{self.recipe.to_json()} {self.turn}"

    @property
    def kind(self) -> Kind:
        return self.recipe.kind

    @property
    def chain(self) -> list[Recipe]:
        return self.recipe.chain

    @property
    def inputs(self) -> dict[str, Any]:
        return self.recipe.inputs

    def replace(self, **changes: Any) -> Recipe:
        return self.recipe.replace(**changes)

    def run(self, curve: Curve | None = None) -> Run[Result]:
        run = self.recipe.run(curve)
        try:
            stages: list[str] = []
            while True:
                progress = next(run)
                if not stages or stages[-1] != progress.stage:
                    stages.append(progress.stage)
                yield progress
                if len(stages) - 1 == self.turn and not self.reached.is_set():
                    self.reached.set()
                    assert self.go.wait(60)
        except StopIteration as end:
            return end.value
        finally:
            run.close()
            self.closed = True


@pytest.fixture
def pool() -> Iterator[JobPool]:
    pool = JobPool(Settings(), ComputeLock(), LRUCache(4, 60.0))
    yield pool
    pool.shutdown()


def as_found(model: Any) -> dict[str, Any]:
    """Everything about a shared model and the process that a run must leave as it was."""
    return {
        "weights": copy.deepcopy(model.state_dict()),
        "modes": [module.training for module in model.modules()],
        "hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        "own": [sorted(key for key in vars(module) if key.startswith("forward")) for module in model.modules()],
        "flags": [(parameter.requires_grad, parameter.grad is None) for parameter in model.parameters()],
        "random": torch.get_rng_state(),
        "globals": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
    }


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    else:
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.parametrize(("name", "turn"), CASES, ids=lambda value: str(value))
def test_stop_at_every_stage(tiny_model: str, pool: JobPool, name: str, turn: int) -> None:
    method, inputs, stages = RUNS[name]
    shared = loading.classifier(tiny_model)
    before = as_found(shared)
    held = Held(Recipe(method, tiny_model, inputs=inputs), turn)
    job = pool.submit(held, "ada")  # type: ignore[arg-type]
    Clock.until(lambda: held.reached.is_set() or job.ended)
    assert not job.ended, job.error
    job.stop("ada")
    held.go.set()
    Clock.until(lambda: job.ended)
    assert (job.state, job.error, held.closed) == ("stopped", "", True)
    assert_same(before, as_found(shared))
    seen = [stage for stage, _ in itertools.groupby(point["stage"] for point in job.curve)]
    assert tuple(seen[: turn + 1]) == stages[: turn + 1]
    result = job.result
    assert result is not None and result.stopped and result.curve == job.curve and pool.result(held) is None  # type: ignore[arg-type]
    if "before" in seen:
        assert result.counts["before/acc"] == 20 and "before/asr" in result.figures
        assert result.model is not None and not result.model.training
    if "unlearn" in seen or "prune" in seen:
        assert result.model is not shared
    assert pool.lock.waiting == 0 and pool.lock._owner is None
