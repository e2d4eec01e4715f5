"""A run as the name of the model that it leaves: "run:<recipe>", for links and for the list of a visitor's models.

The name holds the whole recipe, compressed, and the seconds that the run took where it was made. So a server that has
never seen the run can offer to repeat it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

PREFIX = "run:"
LONGEST = 200_000
"""Bytes of a recipe's JSON at most; what says more is no recipe of this lab."""


def is_run(ref: object) -> bool:
    """Whether a model's name names a run."""
    return isinstance(ref, str) and ref.startswith(PREFIX)


def encode(recipe: dict[str, Any], seconds: float) -> str:
    """The name of the model that a recipe, as JSON data, leaves; the same recipe and seconds give the same name."""
    text = json.dumps({"recipe": recipe, "seconds": round(seconds)}, sort_keys=True, separators=(",", ":"))
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(ref: str) -> tuple[dict[str, Any], float]:
    """The recipe as JSON data and the seconds of a name; ValueError in one sentence where it is broken."""
    packed = ref.removeprefix(PREFIX)
    try:
        unzip = zlib.decompressobj()
        text = unzip.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), LONGEST)
        said = json.loads(text)
        return dict(said["recipe"]), float(said["seconds"])
    except (ValueError, KeyError, TypeError, binascii.Error, zlib.error, RecursionError):
        raise ValueError(
            "This link names a model by the run that made it, and the name is broken or cut off; copy it again."
        ) from None


def text_of(ref: str) -> str:
    """The recipe of a name as its JSON text, as `Recipe.to_json` writes it."""
    return json.dumps(decode(ref)[0], sort_keys=True)
