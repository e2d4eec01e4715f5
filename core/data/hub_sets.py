"""Image data sets that the Hugging Face Hub has, each with what it holds and whether the lab can read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.data.about import About, of_card
from core.data.hub import files_of
from core.data.hub_errors import HubError
from core.data.hub_search import Found, search

TASK = "task_categories:image-classification"


@dataclass(frozen=True)
class SetHit:
    """A data set on the Hub.

    ref : "hf:owner/name@<commit>"
    rows : in words: "60,000 train, 10,000 test", "10K<n<100K"; "" where the Hub does not say
    about : its classes, where its card names them
    problem : why the lab cannot read it, in a sentence; "" where nothing speaks against it
    """

    ref: str
    downloads: int
    licence: str
    rows: str
    about: About
    problem: str = ""


def search_sets(text: str, limit: int = 8) -> list[SetHit]:
    """Data sets for image classification whose name holds `text`, the most downloaded first: one request for all."""
    return [_hit(found) for found in search(text, "dataset", [TASK], limit)]


def _hit(found: Found) -> SetHit:
    about = of_card(found.card)
    rows = ", ".join(f"{n:,} {split}" for split, n in about.rows)
    size = next((tag.removeprefix("size_categories:") for tag in found.tags if tag.startswith("size_categories:")), "")
    return SetHit(found.ref, found.downloads, found.licence, rows or size, about, _problem(found))


def _problem(found: Found) -> str:
    if found.gated:
        return "Gated: its terms must be accepted on the Hub by the account that the lab runs under."
    try:
        files_of(sorted(found.files), "test", found.repo)
    except HubError as error:
        return re.sub(r"^\S+ ", "It ", str(error))
    return ""
