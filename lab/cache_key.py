"""The cache key: everything that a result depends on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.device import best_device
from lab import VERSION, loading
from models.shelf import zoo_card

if TYPE_CHECKING:
    from lab.recipes import Recipe


def key(recipe: Recipe) -> str:
    """SHA-256 over the recipe's JSON, the code's version, the models' sha, the data's commits, the device kind."""
    shas = {ref: model_sha(ref) for ref in sorted(references(recipe))}
    commits = {loading.data_commit(each.data) for each in recipe.chain}
    return _digest(recipe, VERSION, shas, commits, best_device().type)


def key_of_row(recipe: Recipe, row: Mapping[str, Any]) -> str:
    """The key that the run of a stored row has with `recipe`: the rest as the row says ("versions", "device")."""
    said = row.get("versions", {})
    shas = {ref: said.get(ref, "") for ref in sorted(references(recipe))}
    commits = {said.get(str(each.data), "") for each in recipe.chain}
    return _digest(recipe, said.get("perturb-lab", ""), shas, commits, re.split("[:,]", row.get("device", ""))[0])


def _digest(recipe: Recipe, code: str, shas: dict[str, str], commits: set[str], device: str) -> str:
    parts = {"recipe": recipe.to_dict(), "code": code, "models": shas, "data": sorted(commits), "device": device}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def references(recipe: Recipe) -> set[str]:
    """The models that a recipe loads, those among its inputs included."""
    own = {each.model for each in recipe.chain if isinstance(each.model, str)}
    given = [each.inputs.get(name) for each in recipe.chain for name, one in each.kind.inputs.items() if one.model]
    return own.union(*(ref if isinstance(ref, list) else [ref] for ref in given if ref is not None))


def model_sha(ref: str) -> str:
    """What identifies a model's weights: the Hub commit or the file's SHA-256; "" for a fresh network."""
    if ref.startswith("arch:"):
        return ""
    if ref.startswith("zoo:"):
        return zoo_card(ref.removeprefix("zoo:")).sha  # without opening the model
    return loading.classifier(ref).card.sha


def versions(recipe: Recipe) -> dict[str, str]:
    """Code, torch, and the sha or commit of each model and data set, as a result states them."""
    import torch

    found = {"perturb-lab": VERSION, "torch": torch.__version__}
    found |= {ref: model_sha(ref) for ref in sorted(references(recipe))}
    for each in recipe.chain:
        commit = loading.data_commit(each.data)
        if commit:
            found[str(each.data)] = commit
    return found
