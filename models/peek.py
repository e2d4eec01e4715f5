"""What a model is, from its config.json alone: no weights are read or downloaded."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from core.data.fetch import fetch, listing, resolve
from core.data.hub_errors import HubError
from core.data.hub_names import split_reference
from models.card import ModelError
from models.config import MAX_BYTES, Plan, read_config
from models.shelf import zoo_folder


def plan_of(ref: str) -> Plan:
    """What the config of a model plans, of any name that `models.load` takes. ModelError where there is none."""
    if ref.startswith("zoo:"):
        return read_config(zoo_folder(ref[4:]) / "config.json", ref)
    if ref.startswith("hf:"):
        try:
            repo, revision = split_reference(ref[3:])
            return _of_hub(repo, resolve(repo, "model", revision))
        except HubError as error:
            raise ModelError(str(error)) from error
    config = Path(ref) / "config.json"
    if not os.path.isfile(config):
        raise ModelError(f"Nothing is known about {ref!r} before it is loaded.")
    return read_config(config, config.parent.name)


@functools.lru_cache(maxsize=64)
def _of_hub(repo: str, commit: str) -> Plan:
    if "config.json" not in listing(repo, "model", commit):
        raise ModelError(f"{repo} has no config.json.")
    return read_config(fetch(repo, "model", commit, "config.json", cap=MAX_BYTES), repo)
