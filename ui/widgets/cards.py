"""The gallery of the first page: each card shows a real picture and sets a page with one click."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ui import fallback_model, model_choice, story
from ui.pages import PAGES, Card, Page
from ui.sidebar import FIRST, OWN_DATA, Choice, own_data
from ui.widgets import images

ADDED = "  x = augment(x)\n+ x = move(x, τ[y])\n  loss = ce(f(x), y)"


def gallery() -> list[tuple[Page, Card]]:
    """Every card with its page, in the order of the navigation."""
    return [(page, card) for page in PAGES for card in page.cards]


def show(page: Page, card: Card) -> None:
    """One card: title, two small pictures or a few lines of code, a sentence, the button."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"**{card.title}**")
        pictures = st.container(horizontal=True, gap="small")
        st.caption(card.text)
        st.button(
            f"Open in {page.title}", key=f"open-{card.title}",
            on_click=_open, args=(page, card), icon=":material/arrow_forward:", width="stretch",
        )  # fmt: skip
    if card.shows == "code":
        pictures.code(ADDED, language=None, width="stretch")
        return
    try:
        views = _kept(card)
    except ValueError as error:
        pictures.caption(str(error))
        return
    for view in views:
        pictures.image(view.url, alt=view.alt, caption=view.caption, width=92)


def model_of(card: Card) -> str:
    """The model that a card opens its page with."""
    return card.model or next(iter(fallback_model.any_to_any_models()), FIRST)


def _open(page: Page, card: Card) -> None:
    """Set the sidebar and the page's controls, and go there.

    A parameter that a widget holds can be set through the widget only; the page's own are not drawn yet, so that
    they also go into the address.
    """
    st.session_state.update({"data": OWN_DATA, "images": card.image, "upload": "", **card.state})
    story.leave()
    model_choice.choose(model_of(card))
    st.switch_page(page.file, query_params={name: str(value) for name, value in card.state.items()})


def _kept(card: Card) -> list[images.View]:
    """The pictures of a card, drawn once for a model: the gallery is what visitors come back to most."""
    import models
    from ui import cache

    shipped = models.shipped(card.model)
    return cache.kept(lambda: _views(card), "card", card, shipped and shipped.sha)


def _views(card: Card) -> list[images.View]:
    from ui import cache, looks

    choice = Choice(card.model, own_data(card.model), card.image)
    if card.shows in ("region", "drawn"):
        name, picture = cache.sample(choice)
        return [
            images.View(picture, name, f"A picture: {name}"),
            images.View(_region(picture, card), "may change", "The same picture; only the bright part may be changed"),
        ]
    seen = looks.own_look(card.model, choice.data, card.image)
    if card.shows == "heat":
        drawn, _ = images.heat(*looks.tensors(seen))
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
    from core.attacks.inputs.regional.masks import drawn, square

    side = picture.shape[0]
    mask = drawn(card.state["mask"], side, side) if card.shows == "drawn" else square(0.287, side, side)
    return images.outlined(picture.transpose(2, 0, 1), mask[0])
