"""Pictures: small ones enlarged without blur, changes magnified by a stated factor, heatmaps on one scale."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 256
"""Small pictures are enlarged to about this many pixels by repeating each pixel, so that no browser blurs them."""


OPACITY = 0.6
"""Of a heatmap over its picture."""


@dataclass(frozen=True)
class View:
    """One picture on a page, encoded when it is made: caches keep the file, a tenth of the pixels' size.

    picture : pixels uint8 (H, W, 3); caption : below it; alt : what it shows in words
    """

    picture: InitVar[np.ndarray]
    caption: str = ""
    alt: str = ""
    file: bytes = field(init=False, repr=False)

    def __post_init__(self, picture: np.ndarray) -> None:
        object.__setattr__(self, "file", encoded(picture))

    @property
    def url(self) -> str:
        """An address that holds the picture.

        A file on the server would be gone before a slow browser asks for it, when the next picture of a run
        replaces it.
        """
        return "data:image/png;base64," + base64.b64encode(self.file).decode()

    @property
    def pixels(self) -> np.ndarray:
        """The picture, uint8 (H, W, 3)."""
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(self.file)))


def pixels(image: Tensor | np.ndarray, side: int = SIDE) -> np.ndarray:
    """A picture (C, H, W), float in [0, 1] or uint8, as uint8 (H', W', 3) enlarged by a whole factor."""
    array = image if isinstance(image, np.ndarray) else image.detach().cpu().numpy()
    if array.dtype != np.uint8:
        array = (array.clip(0, 1) * 255).round().astype(np.uint8)
    array = array.transpose(1, 2, 0)
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    factor = max(1, round(side / max(array.shape[:2])))
    return np.ascontiguousarray(array.repeat(factor, axis=0).repeat(factor, axis=1))


def magnified(change: Tensor | np.ndarray) -> tuple[np.ndarray, int]:
    """A signed change (C, H, W) drawn around grey, 0.5 + k·change, and the largest whole factor k that fits."""
    array = change if isinstance(change, np.ndarray) else change.detach().cpu().numpy()
    largest = float(np.abs(array).max()) if array.size else 0.0
    factor = 1 if largest <= 0 else max(1, min(50, int(0.5 / largest)))
    return (0.5 + factor * array).clip(0, 1), factor


def outlined(image: Tensor | np.ndarray, region: Tensor | np.ndarray, side: int = SIDE) -> np.ndarray:
    """A picture (C, H, W) whose region, bool (H, W), stays bright while the rest is dimmed towards grey."""
    picture = pixels(image, side).astype(np.float32)
    mask = np.asarray(region.cpu() if hasattr(region, "cpu") else region)
    factor = picture.shape[0] // mask.shape[0]
    inside = mask.repeat(factor, axis=0).repeat(factor, axis=1)[..., None]
    return np.where(inside, picture, 0.3 * picture + 0.7 * 128).astype(np.uint8)


def heat(
    images: Tensor, maps: Tensor, reference: int | None = None, side: int = SIDE, *, signed: bool = False,
    normalise: str = "shared",
) -> tuple[list[np.ndarray], list[str]]:  # fmt: skip
    """Raw maps (N, H, W) over images (N, C, H, W), all on one scale, and a note for each map that says nothing.

    The first `reference` maps set the scale, so that it stays where it is while the others change; else all of them.
    signed : whether what speaks against the class is drawn too; normalise : another scale, as `display` names it
    """
    from core.explain import display, overlay

    size = images.shape[2], images.shape[3]
    shown = display(maps, size, signed=signed, normalise=normalise, reference=reference)
    grey = images.mean(1, keepdim=True)  # so that every colour in the picture is heat
    drawn = overlay(grey, shown, opacity=OPACITY)
    return [pixels(one, side) for one in drawn], list(shown.notes)


def key(scale: str, signed: bool = False) -> None:
    """The colours of heatmaps from low to high; `scale` says in a sentence what high is."""
    low, high = ("against", "for") if signed else ("low", "high")
    ends = "from against the class (blue) to for it (red)" if signed else "from low (violet) to high (yellow)"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(low, width="content")
        st.image(_colours(signed), width=96, alt=f"Colour key of the heatmaps, {ends}")
        st.caption(high, width="content")
    st.caption(scale)


@functools.cache
def _colours(signed: bool) -> str:
    """The key's picture, drawn as a map over a grey picture is."""
    import torch

    from core.explain.heatmaps.display import colour

    values = torch.linspace(-1 if signed else 0, 1, 96).expand(1, 12, 96)
    shown = colour(values, "diverging" if signed else "viridis")
    return url(pixels((0.5 * (1 - OPACITY) + OPACITY * shown)[0], 96))


def row(views: Sequence[View], columns: int | None = None) -> None:
    """Pictures side by side, each with its caption; on a phone they stand two or three abreast."""
    with st.grid(columns or len(views), min_column_width=100, gap="small"):
        for view in views:
            show(view)


def show(view: View) -> None:
    """One picture as wide as its place."""
    st.image(view.url, caption=view.caption or None, alt=view.alt or view.caption, width="stretch")


def url(picture: np.ndarray) -> str:
    """A picture uint8 (H, W, 3) as an address that holds it."""
    return View(picture).url


def encoded(picture: np.ndarray) -> bytes:
    """A picture uint8 (H, W, 3) as a PNG file."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", compress_level=3)
    return out.getvalue()


def png(views: Sequence[View], gap: int = 8) -> bytes:
    """The pictures in one row, as a PNG file."""
    pictures = [view.pixels for view in views]
    height = max((picture.shape[0] for picture in pictures), default=1)
    width = sum(picture.shape[1] for picture in pictures) + gap * max(0, len(pictures) - 1)
    sheet = np.full((height, max(1, width), 3), 255, np.uint8)
    left = 0
    for picture in pictures:
        sheet[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + gap
    return encoded(sheet)
