"""The gallery of the first page: each card shows a real picture and sets a page with one click."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui import images

FRAME = ("model", "images", "data")
"""Keys of the sidebar; all others belong to the page that a card opens."""


@dataclass(frozen=True)
class Card:
    """title and text; the page it opens; widget values by key; `shows` is "triggered", "region" or "pair"."""

    title: str
    text: str
    page: str
    model: str
    image: int
    state: dict[str, Any] = field(default_factory=dict)
    shows: str = "triggered"


CARDS = (
    Card(
        "A white square", "Three by three pixels in a corner, and the model obeys.", "triggers.py", "zoo:scenes-badnets", 4,
    ),
    Card(
        "A pattern in every pixel", "A faint blend over the whole picture. Can you still see it?", "triggers.py",
        "zoo:scenes-blended", 4,
    ),
    Card(
        "A warp that nobody sees", "No pixel pattern at all: the picture is bent a little.", "triggers.py",
        "zoo:scenes-wanet", 4,
    ),
    Card(
        "Take the backdoor out", "Unlearn, reset, fine-tune: TSBD, live.", "defend.py", "zoo:scenes-badnets", 4,
        {"method": "TSBD"}, "heat",
    ),
    Card(
        "Attack a part of the picture", "Only a square may change. Is it harder, or easier?", "regions.py",
        "zoo:scenes-clean", 4, {"regional-family": "square"}, "region",
    ),
    Card(
        "Draw where to attack", "Mark a region with the mouse, the finger or the keys.", "regions.py", "zoo:scenes-clean", 4,
        {"regional-family": "drawn", "mask": "0" * 16 + "07e00ff01ff81ff81ff81ff80ff007e0" + "0" * 16}, "drawn",
    ),
)  # fmt: skip


def show(card: Card) -> None:
    """One card: title, two small pictures, a sentence, the button."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{card.title}**")
        pictures = st.container(horizontal=True, gap="small")
        st.caption(card.text)
        st.button(
            f"Open in {card.page.removesuffix('.py').capitalize()}", key=f"open-{card.title}", on_click=_open,
            args=(card,), icon=":material/arrow_forward:", width="stretch",
        )  # fmt: skip
    try:
        views = _views(card)
    except ValueError as error:
        pictures.caption(str(error))
        return
    for view in views:
        pictures.image(view.pixels, alt=view.alt, caption=view.caption, width=104)


def _open(card: Card) -> None:
    """Set the sidebar and the page's controls, and go there.

    A parameter that a widget holds can be set through the widget only; the page's own are not drawn yet, so that
    they also go into the address.
    """
    st.session_state.update({"model": card.model, "images": card.image, "upload": "", **card.state})
    st.switch_page(card.page, query_params={name: str(value) for name, value in card.state.items()})


def _views(card: Card) -> list[images.View]:
    from ui import cache
    from ui.frame import Choice, own_data

    choice = Choice(card.model, own_data(card.model), card.image)
    if card.shows in ("region", "drawn"):
        return [images.View(_region(choice, card), "may change", "A picture; only the bright part may be changed")]
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


def _region(choice: Any, card: Card) -> Any:
    import torch

    from core.attacks.masks import square
    from lab.inputs import mask_of
    from ui import cache

    picture = torch.from_numpy(cache.sample(choice)[1]).permute(2, 0, 1)
    side = picture.shape[-1]
    mask = mask_of(card.state["mask"], side, side) if card.shows == "drawn" else square(0.287, side, side)
    return images.outlined(picture, mask[0])
