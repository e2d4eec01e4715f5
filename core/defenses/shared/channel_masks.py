"""Masks on the channels of batch norms: what ANP and RNP learn, and how they prune by it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from core.networks.model_state import folded, require_batch_statistics, working_copy


def maskable(model: nn.Module, method: str) -> list[str]:
    """Names of the batch norms whose channels can be masked: those with a scale, and not folded.

    Raises ValueError when there are none.
    """
    require_batch_statistics(model, method)
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.BatchNorm2d) and module.affine and not folded(module)
    ]
    if not names:
        raise ValueError(f"{method} scales batch norms, and those of this model have no scale; choose another model.")
    return names


class Masked(nn.Module):
    """A copy of `net` in which each named batch norm computes m gamma x_hat + beta, with m in [0, 1] to be learned.

    The masks m, one (C,) per norm, start at 1, where the output is that of `net`. Nothing else can
    be trained.
    """

    def __init__(self, net: nn.Module, norms: list[str]):
        super().__init__()
        self.net = working_copy(net).requires_grad_(False)
        self.norms = norms
        self.masks = nn.ParameterList(torch.ones_like(net.get_parameter(f"{name}.weight")) for name in norms)

    def forward(self, images: Tensor) -> Tensor:
        return functional_call(self.net, self.scaled(), (images,))

    def scaled(self) -> dict[str, Tensor]:
        """The parameters of `net` that stand in for its own in this pass, by name."""
        masks = zip(self.norms, self.masks, strict=True)
        return {f"{name}.weight": mask * self.net.get_parameter(f"{name}.weight") for name, mask in masks}

    @torch.no_grad()
    def clamp(self) -> None:
        """Masks back into [0, 1]."""
        for mask in self.masks:
            mask.clamp_(0.0, 1.0)

    def learned(self) -> dict[str, Tensor]:
        """The masks by name of the batch norm, detached."""
        return {name: mask.detach().clone() for name, mask in zip(self.norms, self.masks, strict=True)}


def at_most(masks: dict[str, Tensor], threshold: float) -> dict[str, Tensor]:
    """The channels to prune, bool (C,) by norm: those with m <= threshold. Nested in the threshold."""
    return {name: mask <= threshold for name, mask in masks.items()}


def prune(model: nn.Module, channels: dict[str, Tensor]) -> nn.Module:
    """A copy of `model` with gamma = 0 in the marked channels and all else as it was.

    beta is kept: a pruned channel answers the constant beta.
    """
    copy = working_copy(model)
    with torch.no_grad():
        for name, marked in channels.items():
            copy.get_parameter(f"{name}.weight").masked_fill_(marked, 0.0)
    return copy


def share(channels: dict[str, Tensor]) -> float:
    """Share of all channels that are marked."""
    return sum(int(marked.sum()) for marked in channels.values()) / sum(len(marked) for marked in channels.values())
