"""Pictures that visitors brought, in memory only and for a while.

A recipe names an upload by the SHA-256 of its pixels; a link to it cannot hold the picture, and says so.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict

from torch import Tensor

from lab.settings import settings

_held: OrderedDict[str, tuple[float, Tensor]] = OrderedDict()
_lock = threading.Lock()


def keep(picture: Tensor) -> str:
    """Keep a decoded picture, uint8 (3, H, W), and give its name "upload:<sha256>"."""
    shape = ",".join(map(str, picture.shape)).encode()
    ref = "upload:" + hashlib.sha256(shape + picture.contiguous().cpu().numpy().tobytes()).hexdigest()
    with _lock:
        _held[ref] = (time.monotonic(), picture)
        _held.move_to_end(ref)
        while len(_held) > settings.upload_entries:
            _held.popitem(last=False)
    return ref


def find(ref: str) -> Tensor:
    """The picture of this name; ValueError where it is not, or no longer, here."""
    with _lock:
        since, picture = _held.get(ref, (0.0, None))
        if picture is None or time.monotonic() - since > settings.upload_seconds:
            _held.pop(ref, None)
            raise ValueError("The uploaded picture is not in the link, or has been forgotten; upload it again.")
    return picture
