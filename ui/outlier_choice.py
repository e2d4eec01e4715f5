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
    first = heads.index(outliers.NORMAL_FIRST) if outliers.NORMAL_FIRST in heads else 0
    normal = link.choose("Normal", heads, index=first, key="normal", help="What the training pictures are meant to be.")
    offered = {"label": bool(labels), "folder": local_folders.allowed()}
    sources = [source for source in FROM if offered.get(source, True)]
    source = link.choose(
        "Outliers", sources, index=sources.index("trigger") if normal == outliers.EVERY else 0, key="outliers_from",
        help="A class, normal pictures with a trigger, a label of the data, or your own pictures.",
    )  # fmt: skip
    said = {"pictures": name, "normal": normal, "outliers_from": source}
    if source == "class":
        index = classes.index("4") if "4" in classes else min(1, len(classes) - 1)
        word = link.choose("Outlier class", classes, index=index, key="outlier_class")
        return Chosen(name, normal, f"class={word}", said | {"outlier_class": word})
    if source == "trigger":
        word = link.choose("Trigger", list(outliers.TRIGGERS), index=1, key="outlier_trigger")
        return Chosen(name, normal, f"{outliers.TRIGGER}={word}", said | {"outlier_trigger": word})
    if source == "label":
        values = [f"{label}={value}" for label, them in labels.items() for value in them]
        word = link.choose("Outlier label", values, index=min(1, len(values) - 1), key="outlier_label")
        return Chosen(name, normal, word, said | {"outlier_label": word})
    if source == "folder":
        path = st.text_input("Folder", key="outlier_folder", help="PNG, JPEG or WebP pictures.", **link.BOUND).strip()
        return Chosen(name, normal, concepts.FOLDER + path if path else "", said | {"outlier_folder": path})
    return Chosen(name, normal, uploads.several(
        "Pictures that are outliers", key="outlier_files",
        help="At least 2: half of them are mixed among the training pictures, half are tested on. They stay in this "
        "server's memory for a while.",
    ), said)  # fmt: skip
