"""The chosen picture, without and with the trigger, as a model saw it before a run and as it sees it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui import cache, looks
from ui.widgets import images

if TYPE_CHECKING:
    from torch import Tensor

    from lab.recipes import Recipe
    from models import Classifier
    from ui.run_page import RunPage


def before_and_now(page: RunPage, what: str, recipe: Recipe, model: Classifier, pictures: Tensor, job: Any) -> None:
    """Heatmaps of `pictures` on one scale, beside each other; `what` is the run in words, "the defense".

    They are kept as the page's pictures, for its downloads.
    """
    choice = page.choice
    brought = recipe.inputs.get("trigger") or getattr(recipe.method, "poison", None)
    shown = f"{choice} {recipe.data} {brought}"
    seen, after = looks.before_and_now(model, job, pictures, shown)

    def make() -> list[images.View]:
        return _views(what, seen, after, len(pictures))

    moving = job is not None and not job.ended
    ended = "" if job is None else cache.run_key(job.key, job.result)
    views = make() if moving else cache.kept(make, "moments", what, shown, model.card.sha, ended)
    images.row(page.show(views), columns=2)
    images.key(f"High is the largest value before {what}; larger ones now are drawn as high.")


def _views(what: str, seen: looks.Look, after: looks.Look | None, n: int) -> list[images.View]:
    names = ["plain", "triggered"][:n]
    both = [seen] if after is None else [seen, after]
    drawn, _ = images.heat(*looks.tensors(*both), reference=n)
    return [
        images.View(
            drawn[n * j + i],
            f"{name}, {'before' if j == 0 else 'now'}  \n**{look.says(i)}**",
            f"Heatmap, {name}, {'before ' + what if j == 0 else 'now'}: the model says {look.says(i)}",
        )
        for i, name in enumerate(names)
        for j, look in enumerate(both)
    ]
