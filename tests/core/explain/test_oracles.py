"""Maps beside captum's and the grad-cam package's, on four architectures, one of them a transformer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

import models  # noqa: F401  (registers our architectures with timm)
from core.explain import (
    AblationCAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    IntegratedGradients,
    LayerCAM,
    Occlusion,
    ScoreCAM,
    SmoothGrad,
    XGradCAM,
    display,
)  # fmt: skip
from core.explain.heatmaps.layers import spatial
from core.runs import finish
from tests.core.explain.test_explainers import transformer

attr = pytest.importorskip("captum.attr")


@dataclass(frozen=True)
class Net:
    """A network, a layer of it that follows a ReLU or gives tokens, and a class whose maps say something."""

    make: Callable[[], nn.Module]
    layer: str
    size: int


NETS = {
    "cifar_resnet20": Net(lambda: timm.create_model("cifar_resnet20", num_classes=5), "layer2", 32),
    "resnet10t": Net(lambda: timm.create_model("resnet10t", num_classes=5), "layer2", 32),
    "mobilenetv2": Net(lambda: timm.create_model("mobilenetv2_050", num_classes=5), "blocks.3.0.bn2", 64),
    "transformer": Net(transformer, "blocks.1.norm1", 16),
}
each = pytest.mark.parametrize("name", NETS)


def opened(name: str, cam: Callable[..., Any] = GradCAM) -> tuple[nn.Module, Tensor, int]:
    """The network, three pictures, and the class whose map has most positive places."""
    torch.manual_seed(0)
    net = copy.deepcopy(NETS[name].make()).eval().requires_grad_(True)
    with torch.no_grad():  # batch norms as after a training, so that activations differ by channel
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.3)
    images = torch.rand(3, 3, NETS[name].size, NETS[name].size, generator=torch.Generator().manual_seed(1))
    found = cam(layer=NETS[name].layer)
    shares = [(found.raw(net, images, k) > 0).float().mean((1, 2)).min() for k in range(4)]
    return net, images, int(torch.stack(shares).argmax())


def worth_comparing(reference: Tensor) -> Tensor:
    """The reference, after checking that it is no degenerate map whose equality would prove nothing."""
    assert (reference > 0).float().mean() > 0.2 and reference.std() > 0
    return reference


@each
def test_gradients_at_a_layer_equal_captum(name: str) -> None:
    net, images, target = opened(name)
    layer, module = NETS[name].layer, net.get_submodule(NETS[name].layer)
    if name == "transformer":  # captum averages over the wrong axis of tokens
        found = attr.LayerGradientXActivation(net, module).attribute(images, target=target)
        wanted = spatial(found).sum(1).detach()  # type: ignore[union-attr]
    else:
        cam = attr.LayerGradCam(net, module).attribute(images, target=target, relu_attributions=False)[:, 0].detach()
        mine = GradCAM(layer=layer).raw(net, images, target)
        torch.testing.assert_close(mine, worth_comparing(cam), atol=1e-6, rtol=1e-5)
        wanted = attr.LayerGradientXActivation(net, module).attribute(images, target=target).sum(1).detach()
    mine = HiResCAM(layer=layer).raw(net, images, target)
    torch.testing.assert_close(mine, worth_comparing(wanted), atol=1e-6, rtol=1e-5)


@each
def test_pixel_methods_equal_captum(name: str) -> None:
    net, images, target = opened(name)
    images, size = images[:1], images.shape[2]
    wanted = attr.IntegratedGradients(net).attribute(images, target=target, n_steps=20).sum(1).detach()
    mine = IntegratedGradients(steps=20)(net, images, target)
    torch.testing.assert_close(mine, worth_comparing(wanted).float(), atol=1e-6, rtol=1e-4)
    wanted = attr.Occlusion(net).attribute(
        images, (3, size // 4, size // 4), strides=(3, size // 8, size // 8), target=target,
        perturbations_per_eval=32,
    )[:, 0]  # fmt: skip
    mine = Occlusion(fill="black")(net, images, target)
    torch.testing.assert_close(mine, worth_comparing(wanted), atol=1e-6, rtol=1e-4)
    torch.manual_seed(4)
    tunnel = attr.NoiseTunnel(attr.Saliency(net))
    sigma = 0.15 * float(images.max() - images.min())
    wanted = tunnel.attribute(images, nt_samples=6, stdevs=sigma, target=target, abs=False).sum(1).detach()
    mine = finish(SmoothGrad(samples=6).run(net, images, target, seed=4))
    torch.testing.assert_close(mine, worth_comparing(wanted), atol=1e-6, rtol=1e-4)


def tokens_to_maps(value: Tensor) -> Tensor:
    found = spatial(value)
    assert found is not None
    return found


def theirs(method: Any, name: str, net: nn.Module, images: Tensor, target: int, layer: str) -> Tensor:
    """The grad-cam package's picture, (N, H, W) in [0, 1]."""
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    more = {"reshape_transform": tokens_to_maps} if name == "transformer" else {}
    with method(model=net, target_layers=[net.get_submodule(layer)], **more) as cam:
        cam.batch_size = 64
        found: np.ndarray = cam(input_tensor=images, targets=[ClassifierOutputTarget(target)] * len(images))
    return torch.from_numpy(found)


def drawn(raw: Tensor, size: int) -> Tensor:
    """A raw map as the package draws it: ReLU, min-max, enlarged, min-max again."""
    return display(display(raw, normalise="minmax").maps, (size, size), normalise="minmax").maps


SHARED = {
    "GradCAM": GradCAM, "HiResCAM": HiResCAM, "LayerCAM": LayerCAM, "XGradCAM": XGradCAM,
    "GradCAMPlusPlus": lambda layer: GradCAMPlusPlus(layer=layer, guard=1e-6),
}  # fmt: skip


@each
@pytest.mark.parametrize("cam", SHARED)
def test_pictures_equal_those_of_the_grad_cam_package(cam: str, name: str) -> None:
    package = pytest.importorskip("pytorch_grad_cam")
    net, images, target = opened(name, SHARED[cam])
    layer = NETS[name].layer
    wanted = worth_comparing(theirs(getattr(package, cam), name, net, images, target, layer))
    mine = drawn(SHARED[cam](layer=layer).raw(net, images, target), images.shape[2])
    torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=0)


@each
def test_eigencam_equals_the_package_once_the_sign_is_that_of_ours(name: str) -> None:
    package = pytest.importorskip("pytorch_grad_cam")
    net, images, target = opened(name)
    layer = NETS[name].layer
    wanted = worth_comparing(theirs(package.EigenCAM, name, net, images, target, layer))
    raw = EigenCAM(layer=layer).raw(net, images, target)
    for i, one in enumerate(raw):
        signs = [drawn(sign * one[None], images.shape[2])[0] for sign in (1, -1)]
        assert min(float((each - wanted[i]).abs().max()) for each in signs) < 1e-5


def test_ablationcam_equals_the_package_behind_a_relu() -> None:
    """Elsewhere it writes ten million less than the minimum; and small drops drown in its rounding to float32."""
    package = pytest.importorskip("pytorch_grad_cam")
    net, images, target = opened("cifar_resnet20", AblationCAM)
    net.linear.bias.data += 0.6  # type: ignore[union-attr,operator]
    assert net(images)[:, target].min() > 0
    wanted = worth_comparing(theirs(package.AblationCAM, "cifar_resnet20", net, images, target, "layer2"))
    mine = drawn(AblationCAM(layer="layer2").raw(net, images, target), images.shape[2])
    torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=0)


def test_scorecam_equals_the_package_where_no_map_is_enlarged() -> None:
    """Elsewhere it enlarges with its corners aligned, which gives other masks."""
    package = pytest.importorskip("pytorch_grad_cam")
    net, images, target = opened("cifar_resnet20")
    wanted = worth_comparing(theirs(package.ScoreCAM, "cifar_resnet20", net, images, target, "layer1"))
    mine = drawn(ScoreCAM(layer="layer1").raw(net, images, target), 32)
    torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=0)
