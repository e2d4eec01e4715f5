"""The one place where weights come in: safetensors only, checked, pinned to a commit."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.data.fetch import fetch, listing, resolve
from core.data.hub_errors import HubError
from core.data.hub_names import split_reference
from core.data.modes import ALL_TO_ONE, MODES
from models.build import MAX_BYTES, build
from models.card import Card, ModelError
from models.classifier import Classifier
from models.config import MAX_BYTES as CONFIG_BYTES
from models.config import Plan, read_config
from models.shelf import HUB, LOCAL, card_of, shelf_card, zoo_folder
from models.store import file_sha256, read_trigger

NO_CONFIG = "{name} has no config.json, so nothing says how to build the model."
PICKLES = (
    "{name} has no model.safetensors, and the lab opens no other format: .bin, .pt and .pth files are pickles, "
    "which can run code when they are opened."
)


def load(ref: str) -> Classifier:
    """The model `ref` names, in eval mode, float32, on the CPU.

    Parameters
    ----------
    ref : "zoo:NAME" (ships with the lab), "hf:owner/name[@revision]" (the revision is resolved to
        its commit, which `card.sha` and `card.ref` then name), or a folder in timm's hub layout

    Raises
    ------
    ModelError in one sentence: no such model, gated, no network, no safetensors, unknown
    architecture, weights that do not fit, are too large or hold NaN.
    """
    try:
        if ref.startswith("zoo:"):
            folder = zoo_folder(ref[4:])
            return _open(folder, shelf_card(folder), check=False)
        if ref.startswith("hf:"):
            return _from_hub(*split_reference(ref[3:]))
    except HubError as error:
        raise ModelError(str(error)) from error
    if not os.path.isdir(ref):  # unlike Path.is_dir, no error on a name too long for the file system
        raise ModelError(f"There is no model {ref!r}: give zoo:NAME, hf:owner/name or a folder.")
    return _from_folder(Path(ref))


def _from_hub(repo: str, revision: str | None) -> Classifier:
    commit = resolve(repo, "model", revision)
    there = listing(repo, "model", commit)
    if "config.json" not in there:
        raise ModelError(NO_CONFIG.format(name=repo))
    if "model.safetensors" not in there:
        raise ModelError(PICKLES.format(name=repo))

    def get(path: str, cap: int) -> Path | None:
        return fetch(repo, "model", commit, path, cap=cap) if path in there else None

    plan = read_config(fetch(repo, "model", commit, "config.json", cap=CONFIG_BYTES), repo)
    net = build(plan, fetch(repo, "model", commit, "model.safetensors", cap=MAX_BYTES), repo)
    licence = _licence(get("README.md", CONFIG_BYTES))
    card = card_of(plan, f"hf:{repo}@{commit}", HUB, commit, _parameters(net), licence)
    state = get("trigger.safetensors", MAX_BYTES) if plan.perturb.get("trigger") else None
    return _classifier(net, plan, card, state, check=True)


def _from_folder(folder: Path) -> Classifier:
    if not (folder / "config.json").is_file():
        raise ModelError(NO_CONFIG.format(name=folder.name))
    plan = read_config(folder / "config.json", folder.name)
    card = card_of(plan, str(folder), LOCAL, "", 0)
    return _open(folder, card, check=True)


def _open(folder: Path, card: Card, *, check: bool) -> Classifier:
    plan, weights = read_config(folder / "config.json", folder.name), folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(PICKLES.format(name=folder.name))
    net = build(plan, weights, folder.name)
    if not card.sha:
        card = card_of(plan, card.ref, card.origin, file_sha256(weights), _parameters(net))
    state = folder / "trigger.safetensors"
    return _classifier(net, plan, card, state if state.is_file() else None, check=check)


def _classifier(net: nn.Module, plan: Plan, card: Card, state: Path | None, *, check: bool) -> Classifier:
    block, name = plan.perturb, card.ref
    trigger = read_trigger(block.get("trigger"), state, name)
    classifier = Classifier(
        net, mean=plan.mean, std=plan.std, class_names=plan.class_names, input_size=plan.input_size, card=card,
        trigger=trigger, target=_target(block, plan, name), mode=_mode(block, name),
    )  # fmt: skip
    classifier.eval().requires_grad_(False)
    if check:
        _check_output(classifier, plan.num_classes, name)
    return classifier


def _check_output(classifier: Classifier, classes: int, name: str) -> None:
    """One grey picture must give one row of `classes` finite logits (and not tokens or a map)."""
    try:
        with torch.inference_mode():
            logits = classifier(torch.full((1, *classifier.input_size), 0.5))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(f"{name} cannot read an image of its own input size {classifier.input_size}.") from error
    if not isinstance(logits, torch.Tensor) or logits.shape != (1, classes) or not bool(logits.isfinite().all()):
        shape = list(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ModelError(f"{name} answers an image with {shape} instead of {classes} logits: it is not a classifier.")


def _target(block: dict[str, Any], plan: Plan, name: str) -> int | None:
    target = block.get("target") if block.get("trigger") else None
    if target is not None and (type(target) is not int or not 0 <= target < plan.num_classes):
        raise ModelError(f"{name} says its backdoor aims at class {target!r}, which it does not have.")
    return target


def _mode(block: dict[str, Any], name: str) -> str | None:
    if not block.get("trigger"):
        return None
    mode = block.get("mode") or ALL_TO_ONE
    if mode not in MODES:
        raise ModelError(f"{name} says its backdoor has the mode {mode!r}, which the lab does not know.")
    return mode


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def _licence(readme: Path | None) -> str:
    """The licence in the front matter of a README, or ""."""
    text = "" if readme is None else readme.read_text(encoding="utf-8", errors="replace")
    found = re.match(r"---\n(?:(?!---).*\n)*?license: *([\w.-]+)", text)
    return found.group(1) if found else ""
