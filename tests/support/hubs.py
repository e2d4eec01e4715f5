"""Pointing huggingface_hub, which reads HF_ENDPOINT and HF_HOME once, at a local Hub and an empty cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from huggingface_hub import constants

from core.data.fetch import resolve
from tests.support.local_hub import HubServer, serve

NOWHERE = "http://127.0.0.1:9"  # nothing listens on the discard port


def point_at(patch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    """What HF_ENDPOINT=url HF_HOME=home would have done before the first import."""
    patch.setattr(constants, "ENDPOINT", url)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    patch.setattr(constants, "HF_HOME", str(home))
    patch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    resolve.cache_clear()


@contextmanager
def local_hub(root: Path, home: Path, broken: tuple[str, ...] = ()) -> Iterator[HubServer]:
    """A Hub over `root`, used by everything inside the block, with its cache in `home`."""
    with pytest.MonkeyPatch.context() as patch, serve(root, broken) as server:
        point_at(patch, server.url, home)
        try:
            yield server
        finally:
            resolve.cache_clear()
