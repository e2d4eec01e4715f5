"""Masks as λ is moved, and two pictures mixed, with what networks say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import mixing as charts
from ui.charts.predictions import predictions
from ui.errors import in_a_sentence
from ui.widgets import images, uploads
from ui.widgets.images import View

if TYPE_CHECKING:
    from torch import Tensor

    from core.training.mixing.mixer import Mixer
    from lab.results import Result
    from models import Classifier
    from ui.sidebar import Choice

SHOWN, MEASURED = 5, 200
"""Masks that are drawn, and those that spectra and outlines are means of."""
SIZE = 32


def masks(mixer: Mixer, lam: float) -> None:
    """Masks of the mixer at λ, their spectra beside those of other mixers, and how long their outlines are."""
    found = cache.kept(lambda: _masks(mixer, lam), "masks", mixer, lam)
    images.row(found["views"], columns=SHOWN)
    if not found["power"]:
        st.caption("MixUp has no mask with a shape: λ is its weight at every pixel. CutMix and FMix have a spectrum.")
        return
    charts.spectra(found["frequency"], found["power"])
    st.markdown(_outlines(found["outlines"]))
    st.caption(f"Means over {MEASURED} masks of {SIZE} x {SIZE} pixels each, at λ = {lam:.2f}. Edges: the share of "
               "neighbouring pixels on different sides of a mask; outline: in sides of pixels.")  # fmt: skip


def _masks(mixer: Mixer, lam: float) -> dict[str, Any]:
    from core.training import MixUp
    from core.training.mixing.mask_statistics import edge_density, perimeter, radial_spectrum

    drawn = _drawn(mixer, lam, SHOWN)
    alt = f"A mask of {type(mixer).__name__}"
    views = [View(images.pixels(mask.expand(3, -1, -1), 128), alt=alt) for mask in drawn]
    found: dict[str, Any] = {"views": views, "power": {}, "outlines": {}}
    for name, each in {} if isinstance(mixer, MixUp) else _beside(mixer).items():  # type: ignore[attr-defined]
        several = _drawn(each, lam, MEASURED)
        frequency, power = radial_spectrum(several)
        found["frequency"], found["power"][name] = frequency.tolist(), power.tolist()
        across, down = edge_density(several)
        found["outlines"][name] = (across, down, perimeter(several).double().mean().item())
    return found


def _beside(mixer: Mixer) -> dict[str, Mixer]:
    """The mixer, and those that its masks are compared with: FMix in its other mode, and CutMix or FMix."""
    import dataclasses

    from core.training import CutMix, FMix
    from core.training.mixing.low_frequency_masks import OFFICIAL, PAPER

    if not isinstance(mixer, FMix):
        return {"CutMix": mixer, "FMix": FMix()}
    other = OFFICIAL if mixer.mode == PAPER else PAPER
    return {f"FMix, {mixer.mode}": mixer, f"FMix, {other}": dataclasses.replace(mixer, mode=other), "CutMix": CutMix()}


def _drawn(mixer: Mixer, lam: float, count: int, size: tuple[int, int] = (SIZE, SIZE)) -> Tensor:
    """Masks (count, H, W), the same ones every time."""
    import torch

    made, _ = mixer.masks(torch.full((count,), lam), size, torch.device("cpu"), torch.Generator().manual_seed(0))
    return made.expand(count, *size)


def _outlines(outlines: dict[str, tuple[float, float, float]]) -> str:
    head = "| masks | edges across | down | outline |\n|---|---|---|---|\n"
    return head + "\n".join(f"| {name} | {across:.1%} | {down:.1%} | {length:.0f} |"
                            for name, (across, down, length) in outlines.items())  # fmt: skip


def pair(
    choice: Choice, partner: int, own: str, mixer: Mixer, lam: float, networks: dict[str, Classifier]
) -> list[View]:
    """Both pictures, the mask, what they make, and in bars what each network says of it."""
    key = "mixed", choice, partner, own, mixer, lam, tuple((name, id(net)) for name, net in networks.items())
    cache.bring(choice.data, choice.upload)
    views, names, said, told = cache.kept(lambda: _pair(choice, partner, own, mixer, lam, networks), *key)
    images.row(views, columns=4)
    st.caption(told)
    predictions(names, said, height=140 + 45 * len(said))
    return views


def _pair(
    choice: Choice, partner: int, own: str, mixer: Mixer, lam: float, networks: dict[str, Classifier]
) -> tuple[list[View], list[str], dict[str, Any], str]:
    import torch

    from core.networks.checks import require_finite
    from core.networks.predictions import predict
    from lab.kinds.shared.pictures import picked
    from lab.running.compute_lock import compute_lock

    first = next(iter(networks.values()))
    sets = [picked(first, choice.data, which)[0] for which in (choice.images, own or [partner])]
    pictures = torch.cat([each.pixels[:1].cpu() for each in sets])
    names = [each.class_names[int(each.labels[0])] for each in sets]
    words = ["your picture" if choice.upload else names[0], "your second picture" if own else names[1]]
    generator, order = torch.Generator().manual_seed(0), torch.tensor([1, 0])
    mixed = mixer.mixed(pictures, torch.tensor([0, 1]), order, lam, generator=generator)
    mask = _drawn(mixer, lam, 1, (pictures.shape[2], pictures.shape[3]))[0]  # the one that it was mixed with
    weight = float(mixed.lam[0])
    label = f"{weight:.0%} {words[0]}, {1 - weight:.0%} {words[1]}"
    views = [
        View(images.pixels(pictures[0]), f"**{words[0]}**", f"The first picture: {words[0]}"),
        View(images.pixels(pictures[1]), f"**{words[1]}**", f"The second picture: {words[1]}"),
        View(images.pixels(mask.expand(3, -1, -1)), "mask", "The mask: white shows the first picture"),
        View(images.pixels(mixed.images[0]), f"mixed  \n{label}", f"The mixed picture: {label}"),
    ]  # fmt: skip
    with compute_lock:
        answers = {name: require_finite(predict(net, mixed.images[:1]))[0] for name, net in networks.items()}
    said = {name: logits.softmax(0).cpu().numpy() for name, logits in answers.items()}
    return views, list(first.class_names), said, f"Its label in a training: {label}."


def second_picture() -> str:
    """The visitor's own second picture, "upload:<sha256>", or "" where a test picture is taken."""
    with st.popover("Your own second picture", width="stretch"):
        file = st.file_uploader("A picture", key="second-file", **uploads.FILES)
        st.caption("Its middle square is taken. Your first picture is chosen in the sidebar.")
    if file is None:
        return ""
    with in_a_sentence(stop=False):
        return uploads.kept(file)
    return ""


def networks_of(choice: Choice, result: Result | None) -> dict[str, Classifier]:
    """Those that are asked: the chosen model, shipped ones that compare mixers on its data, and those just trained."""
    import models
    from lab.loading import classifier

    model = cache.model(choice)
    found = {model.card.ref: model}
    for mixer in ("unmixed", "mixup", "cutmix", "fmix"):
        if models.shipped(ref := f"zoo:{model.card.data}-{mixer}"):
            found[ref] = classifier(ref)
    if result is None:
        return found
    trained: dict[str, Any] = result.networks
    for name, net in trained.items():
        if net.class_names == model.class_names and net.input_size == model.input_size:
            found[f"trained here: {result.notes[name]}"] = net
    return found
