"""One repair of one backdoored model, scored before and after: the cell of the tables about repairs."""

from __future__ import annotations

import time
from typing import Any

import models
from core.data import load_data
from core.data.imageset import ImageSet
from core.device import best_device
from core.knobs import Method
from core.metrics import Scores, evaluate
from core.runs import finish


def cell(ref: str, method: Method, seed: int, limit: int | None) -> tuple[dict[str, Any], Any]:
    """One model, one defense, one seed: scores before and after, and the repaired model.

    "seconds" are those of the clock, "cpu" those of the processor, which other work on the machine does not lengthen.
    The defense gets the "defender" images of the seed and nothing else; the scores are over the first `limit` test
    images. Raises ValueError where the defense refuses the model.
    """
    original = models.load(ref).to(best_device())
    data = original.card.data
    test = load_data(data, "test", limit=limit)
    before = scores(original, original, test)
    clean = load_data(data, "defender", seed=seed)
    start, cpu_start = time.perf_counter(), time.process_time()
    repaired = finish(method.run(original, clean, seed=seed))  # type: ignore[attr-defined]
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    report = {name: value for name, value in repaired.report.items() if isinstance(value, float)}
    found = {
        "model": ref, "sha": original.card.sha, "method": repr(method), "seed": seed, "clean": len(clean),
        "seconds": seconds, "cpu": cpu, "before": before, "after": scores(repaired, original, test), "report": report,
    }  # fmt: skip
    return found, repaired


def scores(model: Any, original: Any, test: ImageSet) -> dict[str, Any]:
    """ACC, ASR and RA of `model` on `test`, by the backdoor that `original` carries."""
    found: Scores = evaluate(model, test, trigger=original.trigger, target=original.target, mode=original.mode)
    return {"acc": found.acc, "asr": found.asr, "ra": found.ra, "n": found.n, "n_asr": found.n_asr}
