"""The other libraries, as functions that give adversarial pictures; those that are not installed are left out."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.attacks.cases import Case, Maker

Attack = Callable[[], Tensor]
LIBRARIES = ("torchattacks", "foolbox", "ART")


def installed() -> list[str]:
    """The libraries that can be imported."""
    return [name for name in LIBRARIES if _module(name) is not None]


def _module(name: str) -> Any:
    attacks = {"torchattacks": "torchattacks", "foolbox": "foolbox.attacks", "ART": "art.attacks.evasion"}
    try:
        return importlib.import_module(attacks[name])
    except ImportError:
        return None


def peers(case: Case, net: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Attack]:
    """The case in each library that is installed and has it."""
    makers = {"torchattacks": _torchattacks, "foolbox": _foolbox, "ART": _art}
    return {name: makers[name](case.peers[name], net, images, labels) for name in installed() if name in case.peers}


def _torchattacks(maker: Maker, net: nn.Module, images: Tensor, labels: Tensor) -> Attack:
    attack = maker(_module("torchattacks"), net)
    return lambda: attack(images, labels)


def _foolbox(maker: Maker, net: nn.Module, images: Tensor, labels: Tensor) -> Attack:
    import foolbox  # type: ignore[import-not-found]

    attack, eps = maker(foolbox.attacks, None)
    wrapped = foolbox.PyTorchModel(net, bounds=(0, 1), device=images.device)
    return lambda: attack(wrapped, images, labels, epsilons=eps)[1]


def _art(maker: Maker, net: nn.Module, images: Tensor, labels: Tensor) -> Attack:
    attack = maker(_module("ART"), art_classifier(net, images))
    x, y = images.cpu().numpy(), labels.cpu().numpy()
    return lambda: torch.from_numpy(attack.generate(x, y)).to(images)


def art_classifier(net: nn.Module, images: Tensor) -> Any:
    """The net as ART takes it, for images like these."""
    from art.estimators.classification import PyTorchClassifier  # type: ignore[import-not-found]

    return PyTorchClassifier(
        net, loss=nn.CrossEntropyLoss(), input_shape=tuple(images.shape[1:]), nb_classes=net(images[:1]).shape[1],
        clip_values=(0, 1), device_type="gpu" if images.is_cuda else "cpu",
    )  # fmt: skip
