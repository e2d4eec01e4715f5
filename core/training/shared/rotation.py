"""A second task that needs no labels: by which quarter turn a picture was rotated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import device_of, dtype_of
from core.networks.layout import laid_out
from core.networks.penultimate import classifier_of, entering

TURNS = 4


class RotationHead(nn.Module):
    """Tells the turn of a picture from the features that go into a network's last linear layer.

    Hendrycks et al., "Using self-supervised learning can improve model robustness", NeurIPS 2019 (arXiv 1906.12340).
    """

    def __init__(self, model: nn.Module, images: Tensor):
        super().__init__()
        self._layer = classifier_of(model, images)
        features = model.get_submodule(self._layer).in_features
        assert isinstance(features, int)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            linear = nn.Linear(features, TURNS)
        self.linear = linear.to(device_of(model), dtype_of(model))

    def loss(self, model: nn.Module, images: Tensor) -> Tensor:
        """The mean cross-entropy of the turn, each quarter of the batch (N, C, H, W) turned once more than the last."""
        parts = images.tensor_split(TURNS)
        turned = torch.cat([part.rot90(turn, (2, 3)) for turn, part in enumerate(parts)])
        turns = torch.cat([torch.full((len(part),), turn, device=part.device) for turn, part in enumerate(parts)])
        with entering(model, self._layer) as seen:
            model(laid_out(model, turned))
        return F.cross_entropy(self.linear(seen[0]), turns)
