"""Several trainings at once, step by step in turn, so that their curves grow beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.runs import Progress, Run


def side_by_side(runs: Mapping[str, Run[Any]], always: Mapping[str, float]) -> Run[dict[str, Any]]:
    """The results of the runs, by their heads; the one that has got least far takes the next step.

    The metrics of a run stand under its head and their own names, with "gap" where it has both robust accuracies, and
    stay until it brings new ones; `always` stands beside them. The model that is shown is that of the first run.
    """
    now: dict[str, Progress] = {}
    results: dict[str, Any] = {}
    metrics = dict(always)
    model = None
    try:
        while len(results) < len(runs):
            head = min((head for head in runs if head not in results), key=lambda head: _share(now.get(head)))
            try:
                progress = now[head] = next(runs[head])
            except StopIteration as end:
                results[head] = end.value
                continue
            metrics |= {head + name: value for name, value in with_gap(progress.metrics).items()}
            model = progress.model if head == next(iter(runs)) else model
            steps, total = (sum(getattr(each, name) for each in now.values()) for name in ("step", "total"))
            yield Progress(progress.stage, steps, total, dict(metrics), model=model)
    finally:
        for run in runs.values():
            run.close()
    return results


def _share(progress: Progress | None) -> float:
    return 0.0 if progress is None or not progress.total else progress.step / progress.total


def with_gap(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a robust training, and how far the robust accuracy on training pictures lies above that on others."""
    known = "robust" in metrics and "train/robust" in metrics
    return dict(metrics) | ({"gap": metrics["train/robust"] - metrics["robust"]} if known else {})
