"""The controls of a measure in weight space that say which pictures it is taken over, and the seed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.widgets import link


def controls(n: int, drawn: str) -> tuple[dict[str, Any], int]:
    """The inputs "n" (`n` at first) and "split" of a recipe, and the seed, whose help says what is `drawn`."""
    chosen = st.select_slider(
        "Pictures", [16, 32, 64, 128, 256, 512, 1000], n, key="n", **link.BOUND,
        help="The loss is their mean, and time grows with them.",
    )  # fmt: skip
    split = link.pick("Of", ["test", "train"], "test", key="split", help="Pictures that the training saw, or not.")
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help=f"Draws {drawn} and the attacks' starts.")
    return {"n": chosen, "split": split}, seed
