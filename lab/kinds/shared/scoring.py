"""ACC, ASR and RA while a run goes on and after it, in steps short enough to stop."""

from __future__ import annotations

import dataclasses
import time
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.data import ImageSet
from core.data.modes import trigger_per_class
from core.metrics import Scores, any_to_any, confusion, evaluate
from core.runs import Progress, Run, mapped
from lab.kinds.kind import Score
from lab.kinds.shared.setting import Backdoor
from lab.results import Result
from lab.settings import settings

T = TypeVar("T")

PIXELS = 100 * 32 * 32
"""Pixels scored in one step: less than a tenth of a second for the zoo's nets on two cores. Pages wait for its end."""

ACC = Score(
    "acc", "Accuracy", "ACC", better="up", live=True,
    help="ACC: share of the clean test pictures that the model classifies as their class.",
)  # fmt: skip
ASR = Score(
    "asr", "Attack success", "ASR", live=True, n="n_asr",
    help="ASR: share of the triggered pictures (own class not the target) that the model takes for the target.",
)  # fmt: skip
RA = Score(
    "ra", "Still right", "RA", better="up", live=True, n="n_asr",
    help="RA: share of the same triggered pictures that the model gets right. With low ASR and low RA it is broken.",
)  # fmt: skip

ACCURACY = frozenset({ACC.key})
"""The keys of the scores that need no trigger."""


def compared(score: Score, against: str, name: str, moment: str = "") -> Score:
    """`score` at a moment of the result, told with its change against another moment; `name` is that moment's model."""
    note = f"{score.help} The change is against the {name}."
    return dataclasses.replace(score, moment=moment, against=against, help=note)


STILL = frozenset({"load", "before", "after", "heldout", "control", "tables", "agreement", "score"})
"""Stages of a run in which its model stands still: it is loaded, or scored."""

MANY_CLASSES = 100
"""Beyond this a confusion table is neither readable nor small."""


def chunks(data: ImageSet) -> list[ImageSet]:
    """`data` in slices that are scored within one step."""
    size = max(1, PIXELS // (data.images.shape[2] * data.images.shape[3]))
    return [data[start : start + size] for start in range(0, len(data), size)]


def scored(stage: str, model: nn.Module, data: ImageSet, backdoor: Backdoor) -> Run[Scores]:
    """`evaluate`, slice by slice; the last progress carries the scores of all of `data`."""
    if backdoor.trigger is not None and trigger_per_class(backdoor.mode):
        answers = yield from answered(stage, model, data, backdoor)
        return any_to_any.scores(answers[1:], answers[0])
    parts: list[Scores] = []
    slices = chunks(data)
    for step, part in enumerate(slices, start=1):
        parts.append(evaluate(model, part, **backdoor.arguments))
        yield Progress(stage, step, len(slices), metrics_of(merged(parts)) if step == len(slices) else {}, model=model)
    return merged(parts)


def answered(stage: str, model: nn.Module, data: ImageSet, backdoor: Backdoor) -> Run[Tensor]:
    """Counts (1 + K, K, K), true class by prediction: without a trigger, then with the trigger of each class.

    The last progress carries the scores of all of `data`.
    """
    assert backdoor.trigger is not None
    classes = len(data.class_names)
    steps = [(target, part) for target in (None, *range(classes)) for part in chunks(data)]
    tables = torch.zeros(1 + classes, classes, classes, dtype=torch.int64)
    for step, (target, part) in enumerate(steps, start=1):
        if target is None:
            tables[0] += confusion(model, part)
        else:
            tables[1 + target] += any_to_any.answers_to(model, part, backdoor.trigger, target)
        scores = metrics_of(any_to_any.scores(tables[1:], tables[0])) if step == len(steps) else {}
        yield Progress(stage, step, len(steps), scores, model=model)
    return tables


def merged(parts: list[Scores]) -> Scores:
    """The scores of several disjoint sets as those of one."""
    if len(parts) == 1:
        return parts[0]
    n, n_asr = sum(part.n for part in parts), sum(part.n_asr for part in parts)
    acc = sum(part.acc * part.n for part in parts) / n
    if not n_asr:
        return Scores(acc, n=n)
    triggered = [part for part in parts if part.n_asr]
    asr = sum((part.asr or 0.0) * part.n_asr for part in triggered) / n_asr
    ra = sum((part.ra or 0.0) * part.n_asr for part in triggered) / n_asr
    return Scores(acc, asr, ra, n, n_asr)


def metrics_of(scores: Scores) -> dict[str, float]:
    """Scores as metrics of a Progress; ASR and RA only where there is a trigger."""
    found: dict[str, float] = {"acc": scores.acc, "n": scores.n}
    if scores.asr is not None and scores.ra is not None:
        found |= {"asr": scores.asr, "ra": scores.ra, "n_asr": scores.n_asr}
    return found


def write(result: Result, moment: str, scores: Scores) -> None:
    """Put scores into a result as "<moment>/acc", "<moment>/asr", "<moment>/ra" (or plain "acc" …), each with its n."""
    metrics, head = metrics_of(scores), f"{moment}/" if moment else ""
    for name in ("acc", "asr", "ra"):
        if name in metrics:
            result.figures[head + name] = metrics[name]
            result.counts[head + name] = scores.n if name == "acc" else scores.n_asr
    for target, share in scores.by_target.items():
        result.figures[f"{head}asr/{target}"] = share


def card_scores(result: Result, moment: str) -> dict[str, float]:
    """The scores of a moment with their n, as a model's card holds them; {} where there are none."""
    names = [name for name in ("acc", "asr", "ra") if f"{moment}/{name}" in result.figures]
    found = {name: result.figures[f"{moment}/{name}"] for name in names}
    numbers = {"n": "acc", "n_asr": "asr"}
    return found | {n: result.counts[f"{moment}/{name}"] for n, name in numbers.items() if name in found}


def live_set(data: ImageSet) -> ImageSet:
    """The fixed first images that a running defense is scored on: fewer where they are large."""
    area = data.images.shape[2] * data.images.shape[3]
    return data[: max(32, min(settings.live_n, settings.live_n * 4 * 32 * 32 // area))]


def watched(run: Run[T], data: ImageSet, backdoor: Backdoor, start: nn.Module | None = None) -> Run[T]:
    """`run`, with the scores of its model on the first of `data` among the metrics every `settings.live_every` seconds.

    `start`, where it is given, is the model as it was: its scores come first, as the stage "before", so that a change
    that is told while the run goes on is one over the same images. Scoring restores the model's modes and draws no
    random number, so the run ends as it would have without. It is cut into steps, each of which tells the run's
    progress again. A slow score comes less often: it takes at most about a tenth of the time.
    """
    live = live_set(data)
    try:
        if start is not None:
            yield from scored("before", start, live, backdoor)
        due = time.monotonic() + settings.live_every / 4
        while True:
            try:
                progress = next(run)
            except StopIteration as end:
                return end.value
            begun = time.monotonic()
            if progress.model is not None and begun >= due:
                work = scored(progress.stage, progress.model, live, backdoor)
                scores = yield from mapped(work, lambda _, now=progress: now)  # type: ignore[misc]
                progress = dataclasses.replace(progress, metrics=progress.metrics | metrics_of(scores))
                due = time.monotonic() + max(settings.live_every, 9 * (time.monotonic() - begun))
            yield progress
    finally:
        run.close()


def confusions(stage: str, model: nn.Module, data: ImageSet, backdoor: Backdoor) -> Run[dict[str, Tensor]]:
    """Tables (K, K), rows = true class: "clean", and "triggered" where there is a trigger to call plainly."""
    if len(data.class_names) > MANY_CLASSES:
        return {}
    plain = backdoor.trigger is not None and not trigger_per_class(backdoor.mode)
    tables: dict[str, Tensor] = {}
    slices = chunks(data)
    for step, part in enumerate(slices, start=1):
        found = {"clean": confusion(model, part)}
        if plain:
            found["triggered"] = confusion(model, part, backdoor.trigger)
        tables = {name: table + tables.get(name, 0) for name, table in found.items()}
        yield Progress(stage, step, len(slices), model=model)
    return tables
