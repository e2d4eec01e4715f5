"""Layer-wise relevance propagation: the logit, shared out backwards, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.device import in_batches
from core.explain.heatmaps.checked import asked
from core.knobs import Method, knob
from core.networks.model_state import frozen


@dataclass(frozen=True)
class LRP(Method):
    """Layer-wise relevance propagation (Bach et al., PLoS ONE 2015, https://doi.org/10.1371/journal.pone.0130140).

    R_i = sum_j (z_ij + gamma s_ij) / sum_i (z_ij + gamma s_ij) R_j with z_ij = a_i w_ij: the generalised gamma rule of
    later work, where s_ij is z_ij if it has the sign of z_j, and 0 else. It holds for convolutions. All else takes
    epsilon, which for ReLU, pooling, batch norm, sums and linear layers is input times gradient; with gamma = 0 the
    whole map is that. The map is the relevance of what the first convolution sees, summed over its channels, in logits.

    It is no wrapper of captum's LRP, which refuses layers without a rule, and at a residual sum gives each branch
    the whole relevance; on a chain of convolutions and ReLUs the two are equal.
    """

    gamma: float = knob(0.25, low=0.0, high=10.0, step=0.05, symbol="γ", help="how much what agrees is preferred")

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W) in [0, 1], for one class or one per image.

        Raises ValueError where the model has no convolution.
        """
        maps = in_batches(lambda x, y: self._relevance(model, x, y), *asked(model, images, targets), size=64)
        if maps.shape[1:] != images.shape[2:]:
            raise ValueError("The model's first convolution does not see the picture, so LRP has no map of its pixels.")
        return maps

    def _relevance(self, model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
        first: list[Tensor] = []

        def enter(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if first:
                return None
            first.append(given[0].detach().requires_grad_())
            return (first[0],)

        hooks = [module.register_forward_pre_hook(enter) for module in convolutions]
        if self.gamma:
            hooks += [module.register_forward_hook(self._ruled) for module in convolutions]
        try:
            with frozen(model), torch.enable_grad():
                score = model(images).gather(1, targets[:, None]).sum()
                if not first:
                    raise ValueError("LRP needs a convolution, and this model has none; choose a convolutional model.")
                (slope,) = torch.autograd.grad(score, first[0])
        finally:
            for hook in hooks:
                hook.remove()
        return (first[0] * slope).sum(1).detach()

    def _ruled(self, module: Any, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """The same output, whose gradient shares relevance out by the gamma rule.

        In proportion to z + gamma s of the same sign as z and no smaller, so that nothing is divided by zero.
        """
        value, weight = given[0], module.weight
        up, down = weight.clamp_min(0), weight.clamp_max(0)

        def convolved(positive: Tensor, negative: Tensor) -> Tensor:
            for_it = module._conv_forward(value.clamp_min(0), positive, None)
            return for_it + module._conv_forward(value.clamp_max(0), negative, None)

        agreeing = convolved(up, down).where(output > 0, convolved(down, up))
        changed = output + self.gamma * agreeing
        return changed * (output / changed.where(changed != 0, 1)).detach()
