"""Our architectures, as timm builds them."""

import pytest
import timm
import torch

import models.cifar_resnet
import models.preact_resnet


@pytest.mark.parametrize(
    ("name", "arguments", "parameters"),
    [
        ("cifar_resnet20", {}, 269_722),
        ("cifar_resnet32", {}, 464_154),
        ("preact_resnet18", {}, 11_172_170),
        ("preact_resnet18", {"width": 16}, 701_018),
    ],
)
def test_size_and_output(name: str, arguments: dict, parameters: int) -> None:
    net = timm.create_model(name, **arguments).eval()
    assert sum(p.numel() for p in net.parameters()) == parameters
    images = torch.rand(2, 3, 32, 32)
    assert net(images).shape == (2, 10)
    features = net.forward_features(images)
    assert torch.allclose(net.forward_head(features), net(images))
    assert net.forward_head(features, pre_logits=True).shape == (2, net.num_features)


def test_other_sizes_and_class_counts() -> None:
    net = timm.create_model("preact_resnet18", width=8, num_classes=43)
    assert net(torch.rand(1, 3, 64, 64)).shape == (1, 43)


def test_pre_activation_blocks_keep_the_identity() -> None:
    """With its last convolution at zero a block without a shortcut passes its input on unchanged."""
    block = models.preact_resnet.PreActBlock(4, 4, 1)
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.rand(1, 4, 8, 8)
    assert torch.equal(block(x), x)
