"""Concepts by name: a label of the data, a class of these or of other data, a folder of pictures, uploads.

"texture=stripes" is a label that the data bring along, "class=ring" a class of theirs; "scenes#ring" and
"hf:owner/name#zebra" are classes of other data; "folder:PATH" is a folder of this computer; "upload:<sha256>", several
separated by commas, are a visitor's pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.data import ImageSet
from core.data.folder import folder
from core.data.scenes import CAUSES
from core.data.upload import fit
from lab import loading, local_folders, uploads
from lab.inputs import UPLOAD, Input

CLASS, FOLDER = "class", "folder:"
FIRST = "texture=stripes"
"""What a recipe that names no concept looks for."""
ELSEWHERE = 1_000
"""Pictures of other data among which a class is looked for."""


def _check(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    uploaded = all(UPLOAD.fullmatch(each) for each in text.split(","))
    if uploaded or (text.startswith(FOLDER) and text != FOLDER) or all(text.partition("#")[::2]):
        return text
    if not text.startswith("upload:") and all(text.partition("=")[::2]):
        return text
    raise ValueError(
        f"concept = {value!r} must be such as texture=stripes, class=ring, scenes#ring, hf:owner/name#zebra, "
        "folder:PATH or upload:<sha256>."
    )


CONCEPT = Input("concept", _check)
"""The concept that is looked for."""


def labels(data: ImageSet) -> dict[str, tuple[str, ...]]:
    """The labels that data bring along, each with its values as words; those that Scenes have."""
    return {name: CAUSES[name] for name in data.concepts if name in CAUSES}


def find(text: str, data: ImageSet, size: int) -> Tensor | ImageSet:
    """Which pictures of `data` hold the concept, bool (N,), or examples of it, `size` pixels wide.

    Raises ValueError in one sentence where the data have no such label or class, or there are no such pictures.
    """
    if text.startswith("upload:"):
        pictures = [fit(uploads.find(ref).cpu(), size) for ref in text.split(",")]
        return ImageSet(torch.stack(pictures), torch.zeros(len(pictures), dtype=torch.int64), ("concept",))
    if text.startswith(FOLDER):
        local_folders.require_pictures_allowed()
        return folder(text.removeprefix(FOLDER), size)
    if "#" in text:
        name, _, word = text.rpartition("#")
        other = loading.images(name, "train", limit=ELSEWHERE, size=size)
        return other[other.named(word)]
    name, _, word = text.partition("=")
    if name == CLASS:
        return data.named(word)
    known = labels(data)
    if name not in known:
        brought = f"bring {', '.join(known)}" if known else "bring no labels of concepts"
        raise ValueError(f"These data {brought}, so {text!r} cannot be looked for; choose a class, or examples.")
    if word not in known[name]:
        raise ValueError(f"There is no {name} {word!r}; choose one of {', '.join(known[name])}.")
    return data.concepts[name] == known[name].index(word)


def words(text: str) -> str:
    """A concept as a page calls it: "texture: stripes", "12 uploads"."""
    if text.startswith("upload:"):
        return f"{len(text.split(','))} uploads"
    name, mark, word = text.rpartition("#") if "#" in text else text.partition("=")
    return f"{name.replace('_', ' ')}: {word}" if mark else text
