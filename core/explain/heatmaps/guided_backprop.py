"""Guided backprop: a sharp picture that hardly depends on the network. The cautionary example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from core.device import in_batches
from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.saliency import input_gradient
from core.knobs import Method

RELUS = {F.relu, F.relu_, F.relu6, F.hardtanh, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}


@dataclass(frozen=True)
class GuidedBackprop(Method):
    """Guided backpropagation (Springenberg et al., 2014, https://arxiv.org/abs/1412.6806), summed over the colours.

    At each ReLU R_in = [z > 0] [R_out > 0] R_out; elsewhere the gradient. It looks sharp, and mostly redraws edges:
    Adebayo et al. (NeurIPS 2018) show that it stays as it is when the weights are random. Captum's version sees the
    ReLUs that are modules; this one also those that are calls of a function. A network without ReLU has its gradient.
    """

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W) in [0, 1], for one class or one per image."""

        def guided(x: Tensor, y: Tensor) -> Tensor:
            with _Guided():
                return input_gradient(model, x, y)

        return in_batches(guided, *asked(model, images, targets), size=64).sum(1)


class _Guided(TorchFunctionMode):
    """Within it, only positive gradients pass a ReLU."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        value = function(*args, **(kwargs or {}))
        if function in RELUS and value.requires_grad:
            value.register_hook(lambda slope: slope.clamp_min(0))
        return value
