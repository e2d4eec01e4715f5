"""What pages compute in their own thread: short, under the compute lock, kept by what it depends on, not by pixels."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st

from lab import run_names
from ui import recent
from ui.widgets import arriving

if TYPE_CHECKING:
    from torch import Tensor

    from lab.recipes import Recipe
    from lab.results import Result
    from models import Classifier
    from ui.sidebar import Choice


T = TypeVar("T")


def kept(make: Callable[[], T], *key: object) -> T:
    """What `make()` gives, made once for the same key (words, numbers, frozen dataclasses). It is shared: do not
    change it.

    For what is drawn on a page: pictures, tables, the rows behind a chart. What is kept by a model's name is kept by
    its `sha` too, so that another model of that name is noticed.
    """
    return _kept(repr(key), make)


@st.cache_resource(max_entries=512, show_spinner=False)
def _kept(key: str, _make: Callable[[], Any]) -> Any:
    return _make()


def samples(model: str, data: str, first: int, n: int) -> list[tuple[int, str, np.ndarray]]:
    """Index, class and picture (H, W, 3) of test pictures, in the model's size."""
    bring(data)
    return _samples(model, data, first, n)


@st.cache_data(max_entries=64, show_spinner=False)
def _samples(model: str, data: str, first: int, n: int) -> list[tuple[int, str, np.ndarray]]:
    from lab import loading
    from ui.widgets.images import pixels

    size = loading.classifier(model).input_size[-1]
    test = loading.images(data, "test", limit=first + n, size=size)[first : first + n]
    names = test.class_names
    return [
        (first + i, names[int(label)], pixels(image, 128))
        for i, (image, label) in enumerate(zip(test.images, test.labels, strict=True))
    ]


def sample(choice: Choice) -> tuple[str, np.ndarray]:
    """Name and picture (H, W, 3) of what the sidebar chose."""
    if choice.upload:
        from lab.uploads import find
        from ui.widgets.images import pixels

        return "your picture", pixels(find(choice.upload), 128)
    found = samples(choice.model, choice.data, choice.index, 1)
    if not found:
        raise ValueError(f"There is no test picture {choice.index}; choose a smaller number.")
    return found[0][1], found[0][2]


def thumbnail(choice: Choice) -> tuple[str, str]:
    """Name and address of what the sidebar chose."""
    from ui.widgets.images import url

    def make() -> tuple[str, str]:
        name, picture = sample(choice)
        return name, url(picture)

    return kept(make, "thumbnail", choice)


def address(choice: Choice) -> str:
    """The address of the chosen picture in the size in which pages show it."""
    from ui.widgets.images import View, pixels

    picture, sha = region(choice, None, {})[1], model(choice).card.sha
    return kept(lambda: View(pixels(picture)), "picture", choice, sha).url


def gallery(choice: Choice, first: int, n: int) -> list[tuple[int, str, str]]:
    """Index, class and address of n test pictures, from the one with number `first` on."""
    from ui.widgets.images import url

    def make() -> list[tuple[int, str, str]]:
        return [(index, name, url(picture)) for index, name, picture in samples(choice.model, choice.data, first, n)]

    return kept(make, "gallery", choice.model, choice.data, first, n)


def waits(recipe: Recipe) -> bool:
    """Whether the recipe's trigger cannot be stamped before its run has fitted it."""
    from lab.kinds.shared import fitting

    return fitting.waits(recipe, model_of(recipe))


def pair(recipe: Recipe, choice: Choice) -> Tensor:
    """The chosen picture without and with the backdoor of the recipe's model, (2, C, H, W); shared: do not change it.

    Of a clean model, the picture alone: (1, C, H, W).
    """
    base = recipe if held(recipe) is not None else recipe.chain[-1]
    bring(choice.data, choice.upload)
    return kept(lambda: _pair(base, choice), "pair", base.key(), choice.images)


def _pair(base: Recipe, choice: Choice) -> Tensor:
    """Without the compute lock: a stamp on one picture takes no time, and a running job's step may take a second."""
    import torch

    from lab.kinds.shared.pictures import picked
    from lab.kinds.shared.setting import backdoor_of, triggered

    model = model_of(base)
    pictures, backdoor = picked(model, base.data, choice.images)[0], backdoor_of(base, model)
    plain = pictures.pixels[:1]
    return plain if backdoor.trigger is None else torch.cat((plain, triggered(pictures[:1], backdoor)))


def run_key(key: str, result: Result | None) -> str:
    """What names a run of this cache key as it has come out; one that was stopped differs each time."""
    return f"{key} {'' if result is None else f'stopped {result.seconds}' if result.stopped else 'done'}"


def model(choice: Choice) -> Classifier:
    """The chosen model, shared and frozen; whoever computes with it holds the compute lock.

    One that the Hub has to send is waited for, with a bar.
    """
    from lab.loading import at_hand, classifier

    here, ref = at_hand(choice.model), choice.model
    found = classifier(ref) if here else arriving.shown(lambda: _come(ref), "model", ref)
    recent.note("model", ref)
    return found


def _come(ref: str) -> Classifier:
    """A model that the Hub sends, with the time of a pass, on which what is expected of its runs is based."""
    from lab.loading import classifier
    from lab.running.pass_time import seconds_per_picture
    from lab.running.pool import pool

    found = classifier(ref)
    with suppress(RuntimeError):  # no memory for it
        seconds_per_picture(ref, pool().cores)
    return found


def bring(data: str, upload: str = "") -> None:
    """Wait, with a bar, until the test pictures of `data` are here; for nothing where there is an upload instead.

    Where they cannot be had, whatever needs them says why: they may be in memory.
    """
    from core.data import hub

    with suppress(ValueError):
        if upload or not hub.repository(data):
            return
        if data not in _brought:
            arriving.shown(lambda: hub.bring(data, "test"), "data", data)
            _brought.add(data)
        recent.note("data", data)


_brought: set[str] = set()


def note_halves(data: str) -> None:
    """A line where the data's training and test pictures are halves of a single split."""
    from core.data.hub import halves

    with suppress(ValueError):  # whoever loads them says why
        if said := halves(data):
            st.caption(f":material/call_split: {said}")


def region(choice: Choice, attack: Any, inputs: dict[str, Any]) -> tuple[Any, Any, int | None]:
    """The region an attack would be given, bool (H, W) or None, the picture (C, H, W) and its label; all shared."""
    sha = model(choice).card.sha
    bring(choice.data, choice.upload)
    return kept(lambda: _region(choice, attack, inputs), "region", choice, sha, attack, inputs)


def _region(choice: Choice, attack: Any, inputs: dict[str, Any]) -> tuple[Any, Any, int | None]:
    from core.attacks import Regional, drawn
    from core.attacks.inputs.regional.regional import OF_HEATMAP
    from lab.kinds.shared.pictures import chosen, picked
    from lab.kinds.shared.setting import classes_fit
    from lab.loading import classifier
    from lab.running.compute_lock import compute_lock

    net = classifier(choice.model)
    pictures, index = picked(net, choice.data, choice.images)
    picture, labels = pictures.pixels[:1], pictures.labels[:1]
    label = int(labels[0]) if index and classes_fit(net, pictures) else None
    if not isinstance(attack, Regional) or (attack.family == "drawn" and "mask" not in inputs):
        return None, picture[0], label
    mask = drawn(inputs["mask"], *picture.shape[2:]) if "mask" in inputs else None
    if mask is not None or attack.family not in OF_HEATMAP:  # the model is not asked
        return attack.region(net, picture, labels, mask=mask, seed=0)[0], picture[0], label
    with compute_lock:
        labels = chosen(net, choice.data, choice.images).labels[:1]
        return attack.region(net, picture, labels, seed=0)[0], picture[0], label


def model_and_picture(choice: Choice) -> Classifier:
    """The chosen model, once its data and the chosen picture are known to be there; ValueError in one sentence where
    they are not. For a page whose script does not ask for the picture itself."""
    from lab.kinds.shared.pictures import picked

    found = model(choice)
    bring(choice.data)
    picked(found, choice.data, choice.images)
    return found


def model_of(recipe: Recipe) -> Classifier:
    """The model that a recipe starts from; of a chain whose runs are not held, the one that its first starts from."""
    found = held(recipe)
    if found is not None:
        return found
    from lab.loading import classifier

    return classifier(str(recipe.chain[-1].model))


def held(recipe: Recipe) -> Classifier | None:
    """The model that the run before this one in its chain has left, where a visit holds it."""
    if isinstance(recipe.model, str):
        return None
    from lab.own_models import own_models

    return own_models.find(recipe.model.to_json())


def starts_from(recipe: Recipe, ref: str) -> bool:
    """Whether a run, or the chain that it ends, starts from this model."""
    starts = [link.model if isinstance(link.model, str) else link.model.to_json() for link in recipe.chain]
    return (run_names.text_of(ref) if run_names.is_run(ref) else ref) in starts


def card_figures(net: Any) -> tuple[dict[str, float], dict[str, int]]:
    """What the model's card says about it, as figures of the moment "before" with their n."""
    card = getattr(net, "card", None)
    scores = card.scores.get("test", {}) if card is not None else {}
    counted = {"acc": "n", "asr": "n_asr", "ra": "n_asr"}
    figures = {f"before/{name}": float(scores[name]) for name in counted if name in scores}
    return figures, {f"before/{name}": int(scores[n]) for name, n in counted.items() if scores.get(n)}
