"""Choosing a concept: a label of the data, a class of these or of other data, a folder, or uploaded pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.widgets import link, uploads

if TYPE_CHECKING:
    from core.data import ImageSet

FROM = ("label", "class", "other data", "folder", "yours")
"""Where a concept comes from."""
ELSEWHERE = "hf:imagenet-sample/imagenet-100#dog"
"""A concept of other data that a field starts with."""


def draw(data: ImageSet) -> tuple[str, dict[str, str]]:
    """The pickers: the concept as `lab.concepts` writes it, "" while it is not complete, and what a link says of it."""
    from lab import concepts, local_folders

    known = concepts.labels(data)
    offered = {"label": bool(known), "folder": local_folders.allowed()}
    sources = [source for source in FROM if offered.get(source, True)]
    source = link.choose(
        "Concept from", sources, key="source",
        help="Pictures that hold it: by a label that the data bring along, by a class of theirs or of other data, "
        "from a folder of this computer, or your own.",
    )  # fmt: skip
    said = {"source": source}
    if source == "label":
        name = link.choose("Label", list(known), key="label", help="What is known of each picture beside its class.")
        value = link.choose("Value", known[name], key=f"value_{name}", index=1 if name == "texture" else 0)
        return f"{name}={value}", said | {"label": name, f"value_{name}": value}
    if source == "class":
        word = link.choose("Class", data.class_names, key="of_class")
        return f"class={word}", said | {"of_class": word}
    if source == "other data":
        typed = st.text_input(
            "Data and class", ELSEWHERE, key="elsewhere", **link.BOUND,
            help="NAME#CLASS: a data set as under Data, and a class of it, or a word in the names of several.",
        ).strip()  # fmt: skip
        return typed if all(typed.partition("#")[::2]) else "", said | {"elsewhere": typed}
    if source == "folder":
        path = st.text_input("Folder", key="folder", help="It holds PNG, JPEG or WebP pictures.", **link.BOUND).strip()
        return concepts.FOLDER + path if path else "", said | {"folder": path}
    return uploads.several(
        "Pictures with the concept", key="concept_files",
        help="At least 10. They stay in this server's memory for a while.",
    ), said  # fmt: skip
