"""A picture, its heatmap, the background attacked, the heatmap again, and E; E of many pictures; shipped networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import attention as charts
from ui.widgets import images
from ui.widgets.formula import inline
from ui.widgets.images import View

if TYPE_CHECKING:
    from lab.results import Result
    from ui.sidebar import Choice

SYMBOLS = {"cosine": r"\cos", "soft IoU": r"\mathrm{softIoU}", "SSIM": r"\mathrm{SSIM}", "Spearman": r"\mathrm{rank}"}

SINGLE = ("shuffled", "acc", "background", "epg", "consistency")
"""The scores of a run with one training."""


@dataclass(frozen=True)
class Seen:
    """The four pictures, and the numbers behind E: s, whether the answer stayed, E, whether H is empty.

    own_words : whether the class is only what the model says
    """

    views: tuple[View, ...]
    similarity: float
    same: bool
    e: float
    empty: bool
    own_words: bool


def seen(choice: Choice, method: Any) -> Seen:
    """The model and picture of `choice` under the attack of `method`, a Consistency."""
    cache.bring(choice.data, choice.upload)
    sha = cache.model(choice).card.sha
    return cache.kept(lambda: _seen(choice, method), "attention", choice, sha, method)


def row(found: Seen) -> None:
    """The pictures beside each other."""
    images.row(found.views, columns=4)
    if found.empty:
        st.caption("Nothing in this picture speaks for its class, so the heatmap is empty, and what counts as its "
                   "foreground says nothing.")  # fmt: skip
    whose = "the model's own answer" if found.own_words else "the true class"
    st.caption(f"Heatmaps of {whose}, each divided by its own maximum. The dimmed part is attacked.")


def formula(found: Seen, method: Any) -> None:
    """E with the numbers of this picture."""
    s = SYMBOLS[method.similarity]
    if method.answer:
        factor, number = r"\,[f(x) = f(\hat x)]", rf"\cdot {int(found.same)}"
    else:
        factor, number = "", ""
    st.markdown(inline(rf"E = {s}(H, \hat H){factor} = {found.similarity:.2f} {number} = {found.e:.2f}"))
    st.markdown(inline(rf"v = 1 - E = {1 - found.e:.2f}"))


def _seen(choice: Choice, method: Any) -> Seen:
    import torch

    from core.networks.predictions import predict
    from core.runs import finish
    from lab.kinds.shared.pictures import chosen
    from lab.running.compute_lock import compute_lock

    with compute_lock:
        model = cache.model(choice)
        batch = chosen(model, choice.data, choice.images)
        pixels, labels = batch.data.pixels[:1], batch.labels[:1]
        pair = finish(method.pair(model, pixels, labels, seed=0))
        both = torch.cat((pixels, pair.images))
        shares = predict(model, both).softmax(1)
    drawn, _ = images.heat(both, torch.cat((pair.before, pair.after)))
    says = [f"{model.class_names[int(each.argmax())]} {100 * float(each.max()):.0f} %" for each in shares]
    label = model.class_names[int(labels[0])]
    views = (
        View(drawn[0], f"x: {label}  \n**{says[0]}**", f"Heatmap of the picture for its class {label}"),
        View(images.outlined(both[0], pair.foreground[0]), "what it calls foreground",
             "The picture, dimmed where the heatmap is low"),
        View(images.pixels(both[1]), f"x̂, background attacked  \n**{says[1]}**", "The attacked picture"),
        View(drawn[1], "its heatmap again", f"Heatmap of the attacked picture for its class {label}"),
    )  # fmt: skip
    return Seen(views, float(pair.similarity[0]), bool(pair.same_answer[0]), float(pair.consistency[0]),
                bool(pair.empty[0]), batch.own_words)  # fmt: skip


def histogram(result: Result) -> None:
    """E of the same training pictures before and after."""
    names = {"before": "before", "after": f"after: {result.notes['method']}",
             "beside": f"after: {result.notes.get('beside', '')}"}  # fmt: skip
    series = {said: result.images[f"E/{moment}"].tolist() for moment, said in names.items()
              if f"E/{moment}" in result.images}  # fmt: skip
    charts.histogram(series)
    n = result.counts["after/consistency"]
    st.caption(f"E of the first {n} training pictures; the upright lines are the means.")


def shipped() -> None:
    """What the networks of the bias test answer, from the stored table."""
    from lab import bias_table

    st.header("Trained before, on biased backgrounds", anchor=False)
    rows = bias_table.rows()
    if not rows:
        st.info("The bias test has not been measured yet: `python -m bench.bias` measures it.", icon=":material/info:")
        return
    charts.answers(rows)
    st.markdown(bias_table.said())
    st.caption(bias_table.behind())
