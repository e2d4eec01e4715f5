"""A network with its first weights, for a training, by a name that fits into a recipe."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl

import torch

from models.build import create
from models.classifier import Classifier

NORMALISATION = {"cifar10": ((0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261))}
"""Mean and standard deviation by channel that a fresh network takes for known data; 0.5 and 0.25 for all others."""


def fresh(
    ref: str, class_names: tuple[str, ...], input_size: tuple[int, int, int], data: str = "", seed: int = 0
) -> Classifier:
    """A network with its first weights: `arch:NAME?width=16`.

    Parameters
    ----------
    ref : NAME is any architecture that timm knows (ours are registered with it); what follows "?" are arguments of
        its constructor
    class_names, input_size : as of the data it is to be trained on, (C, H, W)
    data : the name of these data; mean and standard deviation are those of NORMALISATION
    seed : draws the weights; the global random state is left as it was

    Raises ValueError in one sentence where `ref` names no network that can be built.
    """
    name, arguments = parse_architecture(ref)
    mean, std = NORMALISATION.get(data, ((0.5,) * 3, (0.25,) * 3))
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = create(name, class_names, input_size=input_size, mean=mean, std=std, **arguments)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise ValueError(f"{ref} names no network that can be built: {error}.") from None
    model.card = dataclasses.replace(model.card, ref=ref, data=data)
    return model.eval()


def parse_architecture(ref: str) -> tuple[str, dict[str, int | float | str]]:
    """Name and constructor arguments of `arch:preact_resnet18?width=16`."""
    if not ref.startswith("arch:"):
        raise ValueError(f"model = {ref!r}: a training starts from a fresh net such as arch:preact_resnet18?width=16.")
    name, _, query = ref.removeprefix("arch:").partition("?")
    return name, {key: _number(text) for key, text in parse_qsl(query)}


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
