"""Models that the Hugging Face Hub has, each with what it is and whether the lab can load it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from core.data.fetch import fetch
from core.data.hub_errors import HubError
from core.data.hub_search import Found, search
from models.build import MAX_BYTES, is_known
from models.card import ModelError
from models.config import MAX_BYTES as CONFIG_BYTES
from models.config import Plan, read_config

TASK, LAYOUT = "image-classification", "timm"
LOOKED_AT = 100
"""Repositories that one search looks at, the most downloaded first: the Hub cannot sort out those that fit."""


@dataclass(frozen=True)
class HubHit:
    """A model on the Hub.

    ref : "hf:owner/name@<commit>"
    parameters : 0 where the Hub does not say
    classes, input_size : 0 and None where its config does not say
    problem : why the lab cannot load it, in a sentence; "" where nothing speaks against it
    """

    ref: str
    downloads: int
    licence: str
    parameters: int
    classes: int = 0
    class_names: tuple[str, ...] = ()
    input_size: tuple[int, int, int] | None = None
    problem: str = ""


def search_hub(
    text: str, limit: int = 8, *, timm_only: bool = True, most_parameters: int | None = None
) -> list[HubHit]:
    """Image classifiers on the Hub whose name holds `text`, the most downloaded first.

    timm_only : only those in timm's layout with safetensors weights, the format that the lab reads
    most_parameters : only those that say how many they have, and have no more

    The list costs one request, and each hit one for its config.json, which says classes and input size. Raises
    ModelError where the Hub cannot be reached.
    """
    try:
        found = search(text, "model", (TASK, LAYOUT) if timm_only else (TASK,), LOOKED_AT)
    except HubError as error:
        raise ModelError(str(error)) from error
    fit = [each for each in found if _wanted(each, timm_only, most_parameters)][:limit]
    with ThreadPoolExecutor(max(1, len(fit))) as pool:
        return list(pool.map(_hit, fit))


def _wanted(found: Found, timm_only: bool, most: int | None) -> bool:
    if timm_only and (found.gated or not found.files.issuperset({"config.json", "model.safetensors"})):
        return False
    return most is None or 0 < found.parameters <= most


def _hit(found: Found) -> HubHit:
    known = found.ref, found.downloads, found.licence, found.parameters
    try:
        plan = _plan(found)
    except (ModelError, HubError) as error:
        return HubHit(*known, problem=str(error))
    return HubHit(*known, plan.num_classes, plan.class_names, plan.input_size)


def _plan(found: Found) -> Plan:
    """What the config of a repository plans; ModelError or HubError says why it cannot be loaded."""
    if found.gated:
        raise ModelError("Gated: its terms must be accepted on the Hub by the account that the lab runs under.")
    if "config.json" not in found.files:
        raise ModelError("No config.json, so nothing says how to build it.")
    if "model.safetensors" not in found.files:
        raise ModelError("No model.safetensors, and the lab opens no other format.")
    if found.bytes > MAX_BYTES:
        raise ModelError(f"Its weights have {found.bytes / 1e9:.1f} GB, more than {MAX_BYTES / 1e9:.0f} GB.")
    plan = read_config(fetch(found.repo, "model", found.commit, "config.json", cap=CONFIG_BYTES), found.repo)
    if not is_known(plan.architecture):
        raise ModelError(f"A {plan.architecture}, an architecture that timm does not know here.")
    return plan
