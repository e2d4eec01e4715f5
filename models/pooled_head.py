"""The end that several of the small networks have: the mean over positions, and one linear layer."""

from __future__ import annotations

from torch import Tensor, nn

CONFIG = dict(
    input_size=(3, 32, 32), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), num_classes=10, first_conv="conv1",
    classifier="linear",
)  # fmt: skip
"""What timm knows of a 32-pixel network that starts with `conv1` and ends in `linear`."""


class PooledHead(nn.Module):
    """A network whose map `forward_features(x)` (N, D, H, W) goes through its mean and `linear` to logits (N, K)."""

    linear: nn.Linear

    def forward_features(self, x: Tensor) -> Tensor:
        """The last convolutional map."""
        raise NotImplementedError

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.mean((2, 3))
        return pooled if pre_logits else self.linear(pooled)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))
