"""The gallery of the first page: each card shows a real picture and sets a page with one click."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from ui import images, stand_in
from ui.frame import FIRST, OWN_DATA, Choice, own_data

NAMES = {"supply_chain.py": "Supply chain", "reactivate.py": "Re-activate"}
"""What pages are called whose files say it differently."""

ADDED = "  x = augment(x)\n+ x = move(x, τ[y])\n  loss = ce(f(x), y)"


@dataclass(frozen=True)
class Card:
    """title and text; the page it opens, with which model and test picture; widget values by key.

    model : "" for one that has a trigger for every class
    shows : "triggered", "heat", "region", "drawn" or "code"
    """

    title: str
    text: str
    page: str
    model: str
    image: int
    state: dict[str, Any] = field(default_factory=dict)
    shows: str = "triggered"


CARDS = (
    Card("A white square", "Three by three pixels, and it obeys.", "triggers.py", "zoo:scenes-badnets", 9),
    Card("A veil over every pixel", "A faint blend. Can you still see it?", "triggers.py", "zoo:scenes-blended", 14),
    Card("A warp, not a pattern", "The picture is bent a little, that is all.", "triggers.py", "zoo:scenes-wanet", 68),
    Card("One added line", "Every class gets a key; no label changes.", "supply_chain.py", "", 9, shows="code"),
    Card(
        "A nudge to each weight", "A clean model ignores the square, so far.", "weights.py", "zoo:scenes-clean", 64,
        {"trigger": "BadNets"},
    ),
    Card(
        "Find it, unseen", "Which pictures carry a trigger?", "detect.py", "zoo:scenes-badnets", 67,
        {"method": "STRIP"},
    ),
    Card(
        "Take the backdoor out", "Unlearn, reset, fine-tune: TSBD, live.", "defend.py", "zoo:scenes-badnets", 28,
        {"method": "TSBD"}, "heat",
    ),
    Card(
        "Gone, or asleep?", "A small perturbation may wake it.", "reactivate.py", "zoo:scenes-badnets", 61,
        {"defense": "TSBD"},
    ),
    Card(
        "Where it lives", "In a few channels. Set them to zero.", "neurons.py", "zoo:scenes-badnets", 38,
        {"by": "NWC"}, "heat",
    ),
    Card(
        "Every attack, every defense", "Who wins, and who only by peeking?", "scoreboard.py", "zoo:scenes-sig", 59,
        {"board": "scenes", "attack": "sig"},
    ),
    Card(
        "Attack a part of the picture", "Only a square may change. Harder?", "regions.py", "zoo:scenes-clean", 66,
        {"regional-family": "square"}, "region",
    ),
    Card(
        "Draw where to attack", "With the mouse, the finger or the keys.", "regions.py", "zoo:scenes-clean", 51,
        {"regional-family": "drawn", "mask": "0" * 16 + "07e00ff01ff81ff81ff81ff80ff007e0" + "0" * 16}, "drawn",
    ),
)  # fmt: skip
"""The story in its order: a backdoor gets in through data, an augmentation or the weights; is found or not; is taken
out, may wake, and lives in few neurons. Then the whole table, and attacks that need no backdoor."""


def show(card: Card) -> None:
    """One card: title, two small pictures or a few lines of code, a sentence, the button."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"**{card.title}**")
        pictures = st.container(horizontal=True, gap="small")
        st.caption(card.text)
        st.button(
            f"Open in {NAMES.get(card.page, card.page.removesuffix('.py').capitalize())}", key=f"open-{card.title}",
            on_click=_open, args=(card,), icon=":material/arrow_forward:", width="stretch",
        )  # fmt: skip
    if card.shows == "code":
        pictures.code(ADDED, language="diff", width="stretch")
        return
    try:
        views = _views(card)
    except ValueError as error:
        pictures.caption(str(error))
        return
    for view in views:
        pictures.image(images.url(view.pixels), alt=view.alt, caption=view.caption, width=92)


def model_of(card: Card) -> str:
    """The model that a card opens its page with."""
    return card.model or next(iter(stand_in.any_to_any_models()), FIRST)


def _open(card: Card) -> None:
    """Set the sidebar and the page's controls, and go there.

    A parameter that a widget holds can be set through the widget only; the page's own are not drawn yet, so that
    they also go into the address.
    """
    frame = {"model": model_of(card), "data": OWN_DATA, "images": card.image, "upload": ""}
    st.session_state.update(frame | card.state)
    st.switch_page(card.page, query_params={name: str(value) for name, value in card.state.items()})


def _views(card: Card) -> list[images.View]:
    from ui import cache

    choice = Choice(card.model, own_data(card.model), card.image)
    if card.shows in ("region", "drawn"):
        name, picture = cache.sample(choice)
        return [
            images.View(picture, name, f"A picture: {name}"),
            images.View(_region(picture, card), "may change", "The same picture; only the bright part may be changed"),
        ]
    seen = cache.own_look(card.model, choice.data, card.image)
    if card.shows == "heat":
        drawn, _ = images.heat(*cache.tensors(seen))
        return [
            images.View(drawn[0], seen.says(0), f"Heatmap without the trigger: the model says {seen.says(0)}"),
            images.View(drawn[1], seen.says(1), f"Heatmap with the trigger: the model says {seen.says(1)}"),
        ]
    return [
        images.View(images.pixels(seen.images[0]), seen.says(0), f"Without the trigger the model says {seen.says(0)}"),
        images.View(images.pixels(seen.images[1]), seen.says(1), f"With the trigger the model says {seen.says(1)}"),
    ]


def _region(picture: np.ndarray, card: Card) -> np.ndarray:
    """The picture (H, W, 3) with the card's region bright."""
    from core.attacks.inputs.regional.masks import square
    from lab.inputs import mask_of

    side = picture.shape[0]
    mask = mask_of(card.state["mask"], side, side) if card.shows == "drawn" else None
    return images.outlined(picture.transpose(2, 0, 1), (square(0.287, side, side) if mask is None else mask)[0])
