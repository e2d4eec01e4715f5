"""The one way a heat map becomes a picture: ReLU or signed, enlarged, normalised by name, coloured.

Viridis for unsigned maps: its order survives a grey print and colour blindness, which a rainbow's does
not. Blue-white-red for signed ones, white at zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.explain.heatmaps.cam import enlarged

NORMALISATIONS = ("max", "absmax", "minmax", "shared", "none")

# Equally spaced colours (viridis: van der Walt and Smith, 2015, public domain); what lies between is interpolated.
PALETTES = {
    "viridis": "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b "
    "addc30 d8e219 fde725",
    "diverging": "2166ac 67a9cf d1e5f0 ffffff fddbc7 ef8a62 b2182b",
}


@dataclass(frozen=True)
class Shown:
    """Maps ready to be drawn.

    maps : (N, H, W), in [0, 1], or in [-1, 1] where signed; degenerate ones are zero
    degenerate : bool (N,), the map says nothing and must not be shown as a picture
    notes : why, one sentence per image, "" for a good map
    signed : whether negative values mean something
    scale : (N,) what each map was divided by, in the raw map's unit
    """

    maps: Tensor
    degenerate: Tensor
    notes: tuple[str, ...]
    signed: bool
    scale: Tensor


def display(
    maps: Tensor, size: tuple[int, int] | None = None, *, signed: bool = False, normalise: str | None = None,
    reference: int | None = None,
) -> Shown:  # fmt: skip
    """Raw maps (N, h, w) as display maps (N, H, W): ReLU unless `signed`, enlarge to `size`, normalise.

    normalise : "max" divides by the map's maximum (the default for unsigned maps), "absmax" by its largest
        absolute value (the default for signed ones), "minmax" also subtracts the minimum (only to compare
        with the grad-cam library: a flat map and a focused one then look alike), "shared" divides all maps by
        the largest absolute value among them, so that images can be compared, "none" leaves the values.
    reference : with "shared", the first so many maps set the scale, such as those before a change; values above it
        are cut off at 1. Where these maps say nothing, all of them do.
    """
    normalise = normalise or ("absmax" if signed else "max")
    if normalise not in NORMALISATIONS:
        raise ValueError(f"normalise = {normalise!r} is not one of {', '.join(NORMALISATIONS)}.")
    if maps.ndim != 3:
        raise ValueError(f"Heat maps must be (N, h, w), not {tuple(maps.shape)}.")
    notes = tuple(_note(one, signed) for one in maps.detach().cpu())
    degenerate = torch.tensor([bool(note) for note in notes], device=maps.device)
    kept = maps.detach() if signed else maps.detach().clamp_min(0)
    kept = kept.masked_fill(degenerate[:, None, None], 0)
    kept = kept if size is None else enlarged(kept, size)
    flat = kept.flatten(1)
    if normalise == "minmax":
        kept, flat = kept - flat.amin(1)[:, None, None], flat - flat.amin(1, keepdim=True)
    largest = flat.abs().amax(1)
    if normalise == "shared":
        first = largest[:reference].max()
        largest = (first if first > 0 else largest.max()).expand_as(largest)
    scale = torch.ones_like(largest) if normalise == "none" else largest.where(largest > 0, 1)
    shown = kept / scale[:, None, None]
    return Shown(shown if reference is None else shown.clamp(-1, 1), degenerate, notes, signed, scale)


def _note(one: Tensor, signed: bool) -> str:
    """Why a raw map (h, w) must not be shown, or ""."""
    if not bool(one.isfinite().all()):
        return "The map is not finite: the gradient overflowed."
    if bool((one <= 0).all()) and bool((one != 0).any()) and not signed:
        return "No positive evidence: nothing in the image speaks for this class."
    if bool((one == 0).all()):
        return "The map is zero everywhere: the class score does not depend on this layer."
    shown = one if signed else one.clamp_min(0)
    return "The map is the same everywhere: it singles out no place." if bool((shown == shown[0, 0]).all()) else ""


def colour(values: Tensor, palette: str = "viridis") -> Tensor:
    """Values (N, H, W) as colours (N, 3, H, W) in [0, 1]; [0, 1] spans the palette, for "diverging" [-1, 1]."""
    if palette not in PALETTES:
        raise ValueError(f"palette = {palette!r} is not one of {', '.join(PALETTES)}.")
    table = torch.tensor([list(bytes.fromhex(code)) for code in PALETTES[palette].split()]).to(values) / 255
    share = (values + 1) / 2 if palette == "diverging" else values
    at = share.clamp(0, 1) * (len(table) - 1)
    low = at.floor().clamp_max(len(table) - 2)
    part = (at - low)[..., None]
    index = low.long()
    return (table[index] * (1 - part) + table[index + 1] * part).movedim(-1, 1)


def overlay(images: Tensor, shown: Shown, opacity: float = 0.5, palette: str | None = None) -> Tensor:
    """Maps drawn over images (N, C, H, W) in [0, 1]: (N, 3, H, W); a degenerate map leaves its image as it is."""
    palette = palette or ("diverging" if shown.signed else "viridis")
    images = images.to(shown.maps)
    picture = images if images.shape[1] == 3 else images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    maps = enlarged(shown.maps, images.shape[2:])
    weight = opacity * (~shown.degenerate).to(maps)[:, None, None, None]
    return picture * (1 - weight) + colour(maps, palette) * weight
