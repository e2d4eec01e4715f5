"""A robust training while it runs and the records of shipped ones, each drawn by epoch."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts.robust import epochs
from ui.widgets import link

if TYPE_CHECKING:
    from lab.running.job import Job
    from models.record import EpochRecord

FIRST = ("zoo:cifar10-at", "zoo:cifar10-at-awp", "zoo:cifar10-trades")
"""What the records begin with: the first two of these that ship."""
MOST = 4


def curves(job: Job) -> None:
    """Robust and clean accuracy of the training, and of the one beside it, after each epoch so far."""
    found = series(job)
    if not found:
        st.caption("The curve starts after the first epoch.")
        return
    left, right = st.columns(2, gap="small")
    for place, key, title in ((left, "robust", "right under PGD"), (right, "acc", "right without an attack")):
        with place:
            epochs([_of(net, key) for net in found], title, height=430)
    method: Any = job.recipe.method
    st.caption(
        f"Measured after each epoch on {method.heldout} pictures held out, and on as many that are learned from. The "
        "shaded band is the gap between both."
    )


def series(job: Job) -> list[dict[str, Any]]:
    """A row per training: "net", its name, "epoch", and by epoch each accuracy on both sets."""
    from lab.kinds.shared.beside import trainings
    from lab.robust_names import called

    found = []
    for head, method in trainings(job.recipe).items():
        looks = {point[f"{head}epoch"]: point for point in job.curve if f"{head}epoch" in point}
        if not looks:
            continue
        columns = {
            f"{pictures}/{key}": [look[head + source] for look in looks.values()]
            for key in ("acc", "robust") for pictures, source in (("train", f"train/{key}"), ("heldout", key))
        }  # fmt: skip
        found.append({"net": called(method), "epoch": list(looks), **columns})
    return found


def _of(net: dict[str, Any], key: str) -> dict[str, Any]:
    """One accuracy of a net, as the chart takes it."""
    return {"net": net["net"], "epoch": net["epoch"], "train": net[f"train/{key}"], "heldout": net[f"heldout/{key}"]}


def records() -> None:
    """The records of shipped trainings, several beside each other, and one epoch of them in numbers."""
    import models
    from models.record import record_of

    st.header("Trained before, epoch by epoch", anchor=False)
    offered = [card.ref for card in models.available() if not card.backdoored]
    known = {ref: record for ref in offered if (record := record_of(ref)) is not None}
    if not known:
        st.info("No model that ships with the lab has a record of its epochs; `python -m bench.robust` trains nets "
                "with one.", icon=":material/info:")  # fmt: skip
        return
    first = [ref for ref in FIRST if ref in known][:2] or list(known)[:2]
    chosen = st.multiselect(
        "Nets", sorted(offered, key=lambda ref: (ref not in known, ref)), first, key="records", max_selections=MOST,
        help="The robust family, and plainly trained nets.", **link.BOUND,
    )  # fmt: skip
    if missing := [ref for ref in chosen if ref not in known]:
        st.info(f"No record of its epochs ships with {', '.join(missing)}.", icon=":material/info:")
    shown = {ref: known[ref] for ref in chosen if ref in known}
    if shown:
        _compared(shown)


def _compared(shown: dict[str, EpochRecord]) -> None:
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        what = link.pick("Accuracy", ["under PGD", "clean"], "under PGD", key="accuracy")
    last = max(int(record.epochs["epoch"][-1]) for record in shown.values())
    st.session_state["epoch"] = min(st.session_state.get("epoch", last), last)  # other nets may have fewer
    with right:
        at = st.slider("Epoch", 1, last, key="epoch", **link.BOUND)
    key = "robust" if what == "under PGD" else "acc"
    nets = [
        {"net": ref, "epoch": list(record.epochs["epoch"]), "train": list(record.epochs[f"train/{key}"]),
         "heldout": list(record.epochs[f"heldout/{key}"])}
        for ref, record in shown.items()
    ]  # fmt: skip
    epochs(nets, f"right, {what}", at=at, marks=True, height=480)
    st.caption("The shaded band is the gap. Diamond: the best epoch on pictures held out, a little too good for being "
               "a maximum. Disc: the last epoch.")  # fmt: skip
    _table(shown, at)
    for ref, record in shown.items():
        st.markdown(told(ref, record))


def _table(shown: dict[str, EpochRecord], at: int) -> None:
    """The chosen epoch in numbers; of a net that was not looked at then, the last look before, or its first."""
    import pandas as pd

    rows = []
    for ref, record in shown.items():
        place = max(bisect_right(record.epochs["epoch"], at) - 1, 0)
        found = {name: 100 * column[place] for name, column in record.epochs.items() if "/" in name}
        rows.append({
            "net": ref, "epoch": int(record.epochs["epoch"][place]), "PGD, training": found["train/robust"],
            "PGD, others": found["heldout/robust"], "gap": found["train/robust"] - found["heldout/robust"],
            "clean, training": found["train/acc"], "clean, others": found["heldout/acc"],
            "learning rate": record.epochs["lr"][place],
        })  # fmt: skip
    shares = {name: st.column_config.NumberColumn(format="%.1f %%") for name in rows[0]
              if name not in ("net", "epoch", "learning rate")}  # fmt: skip
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, alt=f"Accuracies of the chosen nets at epoch {at}",
        column_config={**shares, "learning rate": st.column_config.NumberColumn(format="%.4g")},
    )  # fmt: skip


def told(ref: str, record: EpochRecord) -> str:
    """From the best to the last epoch, and what the stored weights reach on test pictures."""
    epochs, robust = record.epochs["epoch"], record.epochs["heldout/robust"]
    best, test = record.best, record.scores["test"]
    lost = 100 * (robust[best] - robust[-1])
    return (
        f"**{ref}**: best at epoch {epochs[best]:.0f} ({robust[best]:.1%} under PGD-10 on pictures held out), "
        f"{robust[-1]:.1%} at the last, {epochs[-1]:.0f}, a loss of {lost:.1f} points. The stored weights reach "
        f"{test['robust']:.1%} under PGD-20 and {test['acc']:.1%} without an attack on {test['n']:,} test pictures; "
        f"one training, {record.seconds:.0f} s on {record.hardware}."
    )
