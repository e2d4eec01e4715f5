"""Looking for models and data sets on the Hugging Face Hub: one request, whose answer says all that a list shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from core.data.hub_errors import sentences

Kind = Literal["model", "dataset"]


@dataclass(frozen=True)
class Found:
    """A repository as a search tells of it.

    commit : its newest one, 40 hex digits
    parameters : of a model, those of its safetensors files; 0 where the Hub does not say
    bytes : of those files
    card : of a data set, the metadata at the head of its README
    """

    repo: str
    commit: str
    downloads: int
    licence: str
    gated: bool
    files: frozenset[str]
    tags: tuple[str, ...]
    parameters: int
    bytes: int
    card: dict[str, Any]

    @property
    def ref(self) -> str:
        """As `models.load` or `load_data` takes it, pinned."""
        return f"hf:{self.repo}@{self.commit}"


def search(text: str, kind: Kind, tags: Iterable[str], limit: int) -> list[Found]:
    """At most `limit` repositories with all `tags` whose name holds `text`, the most downloaded first."""
    from huggingface_hub import HfApi, constants, get_session

    with sentences("", kind):
        # The client tries for half a minute before it says that there is no network; this says it at once.
        get_session().get(f"{constants.ENDPOINT}/api/{kind}s", params={"limit": 1}, timeout=10)
        asked: dict[str, Any] = {"search": text or None, "filter": list(tags), "sort": "downloads", "limit": limit}
        api = HfApi()
        told: list[Any] = ["downloads", "gated", "sha", "siblings", "tags"]
        if kind == "model":
            infos: Iterable[Any] = api.list_models(expand=[*told, "safetensors"], **asked)
        else:
            infos = api.list_datasets(expand=[*told, "cardData"], **asked)
        return [_found(info) for info in infos if info.sha]


def _found(info: Any) -> Found:
    tags, weights, card = tuple(info.tags or ()), getattr(info, "safetensors", None), info.card_data
    return Found(
        info.id,
        info.sha,
        info.downloads or 0,
        next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "unknown"),
        bool(info.gated),
        frozenset(sibling.rfilename for sibling in info.siblings or ()),
        tags,
        weights.total if weights else 0,
        sum(n * _width(kind) for kind, n in weights.parameters.items()) if weights else 0,
        card.to_dict() if card else {},
    )


def _width(kind: str) -> int:
    """Bytes of a number: of F32 4, of BF16 2, of U8 1."""
    bits = "".join(letter for letter in kind.split("_")[0] if letter.isdigit())
    return max(1, int(bits or 32) // 8)
