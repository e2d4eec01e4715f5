"""The sidebar, where model and picture are chosen once, for all pages."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lab import run_names
from ui import hub_choice, hub_picker, model_choice, my_models, offline, picture_picker, recent
from ui.errors import in_a_sentence, plain
from ui.pages import Page
from ui.widgets import link

FIRST = "zoo:scenes-badnets"
OWN_DATA = "the model's own"
DATA = (OWN_DATA, "scenes", "scenes-biased", "cifar10", "gtsrb", "mnist", "fashion-mnist", "tiny-imagenet")
HEATMAP = "GradCAM"
PICTURE = 9
"""The test picture a visitor sees first."""


@dataclass(frozen=True)
class Choice:
    """What the sidebar says.

    model : what `models.load` takes; data : what `load_data` takes; index : of the test picture;
    upload : "upload:<sha256>" where the visitor brought a picture, else ""
    heatmap : the method of the heatmaps that pages show beside something else
    """

    model: str
    data: str
    index: int
    upload: str = ""
    heatmap: str = HEATMAP

    @property
    def images(self) -> list[int] | str:
        """As a recipe's input "images"."""
        return self.upload or [self.index]


def draw(page: Page) -> Choice:
    """Draw the pickers, without torch, and keep the choice for `page`; `thumbnail` fills in the picture."""
    with st.sidebar:
        model = _model(page)
        with st.container(horizontal=True, gap="small"):
            _hub()
            data = _data(model)
        st.session_state["misfit-slot"], slot = st.empty(), st.empty()
        index = link.whole(
            "Picture", 0, 99_999, PICTURE, key="images",
            help="The number of a test picture. It follows you to every page.",
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            picture_picker.gallery(_take)
            picture_picker.own(_take)
        heatmap = _heatmap()
    choice = Choice(model, data, index, st.session_state.get("upload", ""), heatmap)
    st.session_state["choice"], st.session_state["thumbnail-slot"] = choice, slot
    return choice


def _heatmap() -> str:
    from lab.explainer_names import EXPLAINER_NAMES

    return link.choose(
        "Heatmaps", EXPLAINER_NAMES, key="explainer",
        help="The method of the heatmaps on all pages. Those of many passes take fewer here than on *Heatmaps*.",
    )  # fmt: skip


def chosen() -> Choice:
    """What the sidebar of this run says."""
    return st.session_state["choice"]


def _model(page: Page) -> str:
    import models

    cards = {card.ref: card for card in models.available()}
    names = sorted(cards, key=lambda ref: (not ref.startswith("zoo:scenes"), ref))
    shipped = names or [FIRST]
    first = next((ref for ref in (page.model, FIRST) if ref in shipped), shipped[0])
    model_choice.settle(page, first)
    mine = my_models.options(model_choice.now())
    listed, called = recent.listed("model", [*mine, *shipped], model_choice.MODEL), my_models.by_label()
    options = [ref for ref in listed if ref not in called]
    typed = st.selectbox(
        "Model", options, index=options.index(first), key=model_choice.MODEL, accept_new_options=True,
        bind="query-params", persist_state="session",
        format_func=lambda ref: _called(ref, cards),
        help="A shipped model, one that your runs have left, or a model of the Hugging Face Hub: type hf:owner/name, "
        "hf:owner/name@revision, or its address. "
        "(no data): its pictures are not on this server yet, and are downloaded when they are needed.",
    )  # fmt: skip
    ref = hub_choice.pinned(spelled(typed or FIRST), "model")
    hub_choice.revision(ref)
    card = my_models.about(ref) if run_names.is_run(ref) else cards.get(ref)
    if card is not None and card.backdoored:
        st.caption(":material/warning: Backdoored on purpose", help=plain(ValueError(card.done)))
    elif card is not None:
        st.caption(":material/verified: Never backdoored", help=plain(ValueError(card.done)))
    return ref


def _called(ref: str, cards: dict[str, Any]) -> str:
    """What the list shows for a model."""
    if run_names.is_run(ref):
        return my_models.label(ref)
    return ref if ref not in cards or offline.at_hand(cards[ref].data) else ref + offline.MARK


def spelled(text: str, kind: str = "model") -> str:
    """A model, or data, as `models.load` and `load_data` take it: "owner/name", or an address, is one of the Hub.

    A visitor's own model is known by its name in the list too: that is what the address bar holds.
    """
    text = text.removesuffix(offline.MARK).strip()
    if "://" in text:
        return hub_choice.named(text, kind)
    text = my_models.by_label().get(text, text)
    return f"hf:{text}" if re.fullmatch(r"[\w-]+/[\w.-]+(@[\w.-]+)?", text) else text


def own_data(ref: str) -> str:
    """The data set a model was trained on, or one with its classes; the generated one where nobody knows any."""
    import models

    if run_names.is_run(ref):
        with suppress(ValueError):
            return str(run_names.decode(ref)[0]["data"])
    card = models.shipped(ref)
    if card is not None and card.data:
        return card.data
    return (hub_choice.data_for(ref) if ref.startswith("hf:") else "") or "scenes"


def _data(model: str) -> str:
    box = st.popover("Data", icon=":material/database:", width="stretch", key="data-box", on_change="rerun")
    with box:
        typed = st.selectbox(
            "Data set", recent.listed("data", DATA, "data"), key="data", accept_new_options=True, bind="query-params",
            persist_state="session",
            help="Pictures to test on. Scenes is generated here; the others, or hf:owner/name, come from the Hub.",
        )  # fmt: skip
        data = own_data(model) if typed in (None, OWN_DATA) else hub_choice.pinned(spelled(typed, "dataset"), "dataset")
        hub_choice.revision(data)
        if box.open:
            hub_picker.data(lambda ref: _take({"data": ref, "data-box": False}))
    return data


def _hub() -> None:
    box = st.popover(
        "Hub", icon=":material/search:", width="stretch", key="hub", on_change="rerun",
        help="Find a model on the Hugging Face Hub",
    )  # fmt: skip
    if box.open:
        with box:
            hub_picker.models(lambda ref: _take({"model": ref, "hub": False}))


def ready() -> AbstractContextManager[None]:
    """Show a foreseen error raised inside, and offer the model and the pictures that need nothing from elsewhere."""
    return in_a_sentence(then=_offer_scenes)


def _offer_scenes() -> None:
    offline.still_works(chosen().data)
    offer_scenes()


def offer_scenes() -> None:
    """A button that goes on with what needs nothing from elsewhere, unless it is chosen already."""
    if chosen().model != FIRST or chosen().data != "scenes" or chosen().upload:
        st.button(
            "Go on with Scenes, which needs no download", key="use-scenes", icon=":material/refresh:",
            on_click=_take, args=({"model": FIRST, "data": OWN_DATA, "upload": "", "images": PICTURE},),
        )  # fmt: skip


def _take(values: dict[str, Any]) -> None:
    st.session_state.update(values)
    if "model" in values:
        model_choice.choose(values["model"])


def thumbnail() -> None:
    """The chosen picture in the sidebar, and whether the model knows its classes; drawn last: both take time."""
    from ui.cache import thumbnail

    choice = chosen()
    with st.session_state["misfit-slot"].container():
        hub_choice.note_misfit(choice.model, choice.data)
    with st.session_state["thumbnail-slot"].container(horizontal=True, vertical_alignment="center"):
        try:
            name, picture = thumbnail(choice)
        except ValueError:
            return  # the page has said why
        st.image(picture, width=72, alt=f"The chosen picture: {name}")
        st.markdown(f"**{name}**" if choice.upload else f"**{name}**  \ntest picture {choice.index}")


def second_model(choice: Choice) -> str:
    """Draw the picker of the model that judges an attack; the attacked model's own name where it judges itself."""
    import models

    same = [card.ref for card in models.available() if card.data == choice.data and card.ref != choice.model]
    twin = f"zoo:{choice.data}-clean"
    options = sorted([*same, choice.model], key=lambda ref: (ref != twin, ref != choice.model))
    judge = st.selectbox(
        "Judged by", options, key="judge", accept_new_options=True,
        help="The attack follows the gradient of the chosen model and stops when this one is fooled. A second model "
        "makes it a transfer attack.",
        **link.BOUND,
    )  # fmt: skip
    # Links of earlier versions have these words in place of a name.
    named = {"its clean twin": twin, "the model itself": choice.model}
    return spelled(named.get(judge, judge) or choice.model)
