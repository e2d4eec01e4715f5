"""Pictures that visitors brought, in memory only and for a while.

A recipe names an upload by the SHA-256 of its pixels; a link to it cannot hold the picture, and says so.
"""

from __future__ import annotations

import hashlib

from torch import Tensor

from lab.lru_cache import LRUCache
from lab.settings import settings

kept: LRUCache[Tensor] = LRUCache(settings.upload_entries, settings.upload_seconds)
"""The process's uploads, uint8 (3, H, W) each, by name."""


def keep(picture: Tensor) -> str:
    """Keep a decoded picture, uint8 (3, H, W), and give its name "upload:<sha256>"."""
    shape = ",".join(map(str, picture.shape)).encode()
    ref = "upload:" + hashlib.sha256(shape + picture.contiguous().cpu().numpy().tobytes()).hexdigest()
    kept.put(ref, picture)
    return ref


def find(ref: str) -> Tensor:
    """The picture of this name; ValueError where it is not, or no longer, here."""
    picture = kept.get(ref)
    if picture is None:
        raise ValueError("The uploaded picture is not in the link, or has been forgotten; upload it again.")
    return picture
