"""The rows of pictures of an attack: region, result, magnified change, and the same for the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ui import cache
from ui.run_page import finished
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from core.knobs import Method
    from lab.running.job import Job
    from models import Classifier
    from ui.sidebar import Choice


def attacked(
    choice: Choice, attack: Method, inputs: dict[str, Any], model: Classifier, job: Job | None
) -> list[list[View]]:
    """Rows of views of the chosen picture: before the run, while it goes on, and after it."""

    def make() -> list[list[View]]:
        return _rows(choice, attack, inputs, model, job)

    if job is not None and not job.ended:
        return make()
    ended = "" if job is None else cache.run_key(job.key, job.result)
    return cache.kept(make, "attacked", choice, model.card.sha, attack, inputs, ended)


def _rows(
    choice: Choice, attack: Method, inputs: dict[str, Any], model: Classifier, job: Job | None
) -> list[list[View]]:
    result = finished(job)
    if result is None or "adversarial" not in result.images:
        moving = _moving(job)
        return [_before(choice, attack, inputs, model, alone=bool(moving)) + moving]
    names = model.class_names
    original, local = result.images["original"][0], result.images["adversarial"][0]
    region = result.images["region"][0] if "region" in result.images else None
    label = _word(names, result.per_image["label"])
    answers = result.per_image.get("judge", result.per_image["after"])
    rows = [[
        View(
            images.pixels(original) if region is None else images.outlined(original, region),
            f"true class: {label}" if region is None else f"{100 * float(region.float().mean()):.0f} % may change",
            f"The picture, true class {label}",
        ),
        *_change(local, original, f"now {_word(names, answers)}", "region"),
    ]]  # fmt: skip
    if "global" in result.images:
        whole = result.images["global"][0]
        rows.append([
            View(images.pixels(original), "all may change", f"The picture, true class {label}"),
            *_change(whole, original, "attacked", "whole picture"),
        ])  # fmt: skip
    return rows


def _word(names: tuple[str, ...], answers: list[int]) -> str:
    return names[answers[0]]


def _change(now: Any, original: Any, says: str, where: str) -> list[View]:
    change, factor = images.magnified(now - original)
    return [
        View(images.pixels(now), f"**{says}**", f"The picture after the attack on the {where}"),
        View(images.pixels(change), f"the change, ×{factor}", f"The change of the {where}, magnified {factor} times"),
    ]


def _before(choice: Choice, attack: Method, inputs: dict[str, Any], model: Classifier, alone: bool) -> list[View]:
    """The picture, and the region that the attack would be given; `alone` leaves out the first of the two."""
    region, picture, label = cache.region(choice, attack, inputs)
    name = model.class_names[label] if label is not None else "your picture"
    whole = View(images.pixels(picture), f"true class: {name}", f"The picture: {name}")
    if region is None:
        return [whole]
    share = 100 * float(np.asarray(region).mean())
    part = View(
        images.outlined(picture, region), f"{share:.0f} % may change", f"{name}; only the bright part may change"
    )
    return [part] if alone else [whole, part]


def _moving(job: Job | None) -> list[View]:
    """The first picture of the batch as it stands in a running attack."""
    shown = job.progress.images if job is not None and job.progress is not None and not job.ended else {}
    if "adversarial" not in shown:
        return []
    factor = job.progress.metrics.get("magnification", 1.0) if job is not None and job.progress is not None else 1.0
    return [
        View(images.pixels(shown["adversarial"]), "under attack", "The picture as the attack has changed it so far"),
        View(
            images.pixels(shown["perturbation"]),
            f"the change, ×{factor:.0f}",
            f"The change, magnified {factor:.0f} times",
        ),
    ]
