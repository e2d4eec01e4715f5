"""What a trial pass tells about a network, remembered for as long as the network lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


class PerModel(Generic[T]):
    """`find(model, images)`, asked once for each network and size of image.

    The networks are held weakly and nothing is stored on them, so a deep copy is tried anew and a network that
    nobody uses any more is forgotten. What `find` returns must not hold the network.
    """

    def __init__(self, find: Callable[[nn.Module, Tensor], T]):
        self._find = find
        self._known: weakref.WeakKeyDictionary[nn.Module, dict[torch.Size, T]] = weakref.WeakKeyDictionary()

    def __call__(self, model: nn.Module, images: Tensor) -> T:
        known, size = self._known.setdefault(model, {}), images.shape[1:]
        if size not in known:
            known[size] = self._find(model, images)
        return known[size]

    def forget(self, model: nn.Module) -> None:
        """Find out anew the next time, since the network was changed."""
        self._known.pop(model, None)
