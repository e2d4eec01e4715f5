"""Choosing pictures, what is normal among them, and what the outliers are."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ui.widgets import link, uploads

OWN = "the sidebar's"
SETS = ("digits", "scenes", "mnist", "fashion-mnist", OWN)
FROM = ("class", "trigger", "label", "yours", "folder")
"""Where outliers come from."""


@dataclass(frozen=True)
class Chosen:
    """Data, and the recipe's inputs "normal" and "outlier", "" while pictures are missing; and what a link says."""

    data: str
    normal: str
    outlier: str
    said: dict[str, str]


def data(own: str) -> str:
    """The set of pictures; `own` is the sidebar's."""
    name = link.choose(
        "Pictures", SETS, key="pictures",
        help="Digits (8 x 8, from scikit-learn) and Scenes need no network; MNIST and Fashion-MNIST come from the Hub.",
    )  # fmt: skip
    return own if name == OWN else name


def draw(name: str, class_names: tuple[str, ...], labels: dict[str, tuple[str, ...]]) -> Chosen:
    """The pickers of what is normal and of what is not; `labels` are those that the data bring along."""
    from lab import concepts, local_folders, outliers

    classes = list(class_names)
    heads = [outliers.EVERY, *(f"class={each}" for each in classes)]
    heads += [f"{label}={value}" for label, values in labels.items() for value in values]
    first, strange = outliers.FIRST.get(name, (outliers.NORMAL_FIRST, outliers.OUTLIER_FIRST))
    offered = {"label": bool(labels), "folder": local_folders.allowed()}
    sources = [source for source in FROM if offered.get(source, True)]
    begin = {
        "normal": first if first in heads else heads[0],
        "outliers_from": "trigger" if first not in heads else "class" if strange.startswith("class=") else "label",
    }
    _begin_anew(name, begin)
    normal = link.choose("Normal", heads, index=heads.index(begin["normal"]), key="normal",
                         help="What the training pictures are meant to be.")  # fmt: skip
    source = link.choose(
        "Outliers", sources, index=sources.index(begin["outliers_from"]), key="outliers_from",
        help="A class, normal pictures with a trigger, a label of the data, or your own pictures.",
    )  # fmt: skip
    said = {"pictures": name, "normal": normal, "outliers_from": source}
    if source == "class":
        own = strange.partition("=")[2]
        index = classes.index(own) if own in classes else min(1, len(classes) - 1)
        word = link.choose("Outlier class", classes, index=index, key="outlier_class")
        return Chosen(name, normal, f"class={word}", said | {"outlier_class": word})
    if source == "trigger":
        word = link.choose("Trigger", list(outliers.TRIGGERS), key="outlier_trigger")
        return Chosen(name, normal, f"{outliers.TRIGGER}={word}", said | {"outlier_trigger": word})
    if source == "label":
        values = [f"{label}={value}" for label, them in labels.items() for value in them]
        index = values.index(strange) if strange in values else min(1, len(values) - 1)
        word = link.choose("Outlier label", values, index=index, key="outlier_label")
        return Chosen(name, normal, word, said | {"outlier_label": word})
    if source == "folder":
        path = st.text_input("Folder", key="outlier_folder", help="PNG, JPEG or WebP pictures.", **link.BOUND).strip()
        return Chosen(name, normal, concepts.FOLDER + path if path else "", said | {"outlier_folder": path})
    return Chosen(name, normal, uploads.several(
        "Pictures that are outliers", key="outlier_files",
        help="At least 2: half of them are mixed among the training pictures, half are tested on. They stay in this "
        "server's memory for a while.",
    ), said)  # fmt: skip


def _begin_anew(name: str, begin: dict[str, str]) -> None:
    """Where the visitor has chosen another set, its own first choice takes the place of what was chosen of the last."""
    if st.session_state.get("outliers-of", name) != name:
        st.session_state.update(begin)
    st.session_state["outliers-of"] = name
