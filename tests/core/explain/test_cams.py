"""The class activation maps that weigh by the gradient: closed forms, captum, and leaving the model alone."""

import copy

import pytest
import timm
import torch
from torch import nn

import models  # noqa: F401  (registers our architectures with timm)
from core.explain import (
    EXPLAINERS,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    XGradCAM,
    maps_of,
)  # fmt: skip
from core.explain.heatmaps.layers import place
from models.preact_resnet import PreActResNet

LINEAR = [GradCAM, HiResCAM, LayerCAM, XGradCAM]
"""Their map is linear in the gradient."""
GRADIENT = [*LINEAR, GradCAMPlusPlus]
each = pytest.mark.parametrize("explainer", GRADIENT, ids=[e.__name__ for e in GRADIENT])
every = pytest.mark.parametrize("explainer", EXPLAINERS, ids=[e.__name__ for e in EXPLAINERS])


def images_of(n: int = 4, size: int = 16) -> torch.Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0))


def worth_comparing(reference: torch.Tensor) -> torch.Tensor:
    """The reference, after checking that it is no degenerate map whose equality would prove nothing."""
    assert (reference > 0).float().mean() > 0.2 and reference.std() > 0
    return reference


@pytest.fixture(scope="module")
def pooled() -> nn.Module:
    """Convolution, global average pooling, one linear layer; in float64."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 12, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(12, 5),
    ).double().eval()


@pytest.fixture(scope="module")
def flattened() -> nn.Module:
    """Convolution, then one linear layer over all positions; in float64."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 49, 5)).double().eval()


def evidence(net: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """f_y - bias_y, (N,)."""
    return (net(images.double()) - net[-1].bias).gather(1, targets[:, None])[:, 0]


def test_after_pooling_both_sum_to_the_logit_less_its_bias(pooled):
    images = images_of()
    targets = (net_output := pooled(images.double())).argmax(1)
    assert net_output.std() > 0
    for explainer in (GradCAM(), HiResCAM()):
        raw = worth_comparing(explainer.raw(pooled, images, targets))
        assert raw.shape == (4, 5, 5)
        torch.testing.assert_close(raw.sum((1, 2)), evidence(pooled, images, targets), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        GradCAM().raw(pooled, images, targets), HiResCAM().raw(pooled, images, targets), atol=1e-14, rtol=0
    )


def test_after_flattening_only_hirescam_sums_to_the_logit_less_its_bias(flattened):
    images = images_of()
    targets = torch.tensor([0, 1, 2, 3])
    wanted = evidence(flattened, images, targets)
    hires = HiResCAM().raw(flattened, images, targets)
    assert hires.std() > 0 and wanted.abs().min() > 1e-3
    torch.testing.assert_close(hires.sum((1, 2)), wanted, atol=1e-12, rtol=0)
    assert (GradCAM().raw(flattened, images, targets).sum((1, 2)) - wanted).abs().max() > 1e-3


@pytest.mark.parametrize("explainer", LINEAR, ids=[e.__name__ for e in LINEAR])
def test_scaling_all_logits_scales_the_map(explainer, pooled):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = pooled

        def forward(self, x):
            return 3 * self.net(x)

    raw = explainer().raw(pooled, images_of(), 1)
    assert raw.std() > 0
    torch.testing.assert_close(explainer().raw(Scaled(), images_of(), 1), 3 * raw)


@pytest.mark.parametrize("layer", ["1", "3"])
@pytest.mark.parametrize("n", [1, 3])
def test_equal_to_captum(layer, n, pooled):
    attr = pytest.importorskip("captum.attr")
    net = copy.deepcopy(pooled).float()
    images = images_of(n)
    target = int(net(images).mean(0).argmax())
    module = net.get_submodule(layer)
    reference = attr.LayerGradCam(net, module).attribute(images, target=target, relu_attributions=False)[:, 0].detach()
    ours = GradCAM(layer=layer).raw(net, images, target)
    torch.testing.assert_close(ours, worth_comparing(reference), atol=1e-6, rtol=0)
    reference = attr.LayerGradientXActivation(net, module).attribute(images, target=target).sum(1).detach()
    ours = HiResCAM(layer=layer).raw(net, images, target)
    torch.testing.assert_close(ours, worth_comparing(reference), atol=1e-6, rtol=0)
    enlarged = attr.LayerAttribution.interpolate(reference[:, None], (16, 16), interpolate_mode="bilinear")[:, 0]
    torch.testing.assert_close(HiResCAM(layer=layer)(net, images, target), enlarged, atol=1e-6, rtol=0)


@each
def test_contract_of_an_explainer(explainer, trained_net, colours):
    images, targets = colours.pixels[:5], colours.labels[:5]
    maps = explainer()(trained_net, images, targets)
    assert maps.shape == (5, 16, 16) and maps.dtype == torch.float32 and not maps.requires_grad
    if explainer not in (LayerCAM, GradCAMPlusPlus):  # these leave out what speaks against the class
        assert (maps < 0).any() or (explainer()(trained_net, images, (targets + 1) % 4) < 0).any()
    singles = torch.cat([explainer()(trained_net, images[i : i + 1], targets[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(maps, singles, atol=1e-6, rtol=0)
    assert torch.equal(explainer()(trained_net, images, 2), explainer()(trained_net, images, torch.full((5,), 2)))
    assert explainer().raw(trained_net, images, targets).shape == (5, 8, 8)


@each
def test_model_is_left_as_it_was(explainer, trained_net, colours):
    net = copy.deepcopy(trained_net).train()
    net.bn2.eval()
    net.linear.weight.requires_grad_(True)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [m.training for m in net.modules()]
    images = colours.pixels[:4]

    def assert_as_it_was():
        assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
        assert [m.training for m in net.modules()] == modes
        assert net.linear.weight.requires_grad and not net.conv1.weight.requires_grad
        assert all(parameter.grad is None for parameter in net.parameters())
        assert not any(m._forward_hooks or m._backward_hooks or "forward_features" in vars(m) for m in net.modules())

    explainer()(net, images, 0)
    assert_as_it_was()
    net.linear.weight.data[0, 0] = state["linear.weight"][0, 0] = torch.nan
    state["linear.weight"] = net.linear.weight.detach().clone().nan_to_num(1.5)
    with pytest.raises(ValueError, match="not finite"):
        explainer()(net, images, 0)
    net.linear.weight.data.nan_to_num_(1.5)
    assert_as_it_was()


@each
def test_hooks_go_also_after_an_exception_inside_the_net(explainer):
    class Breaks(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x):
            out = self.linear(self.conv(x).mean((2, 3)))
            if torch.is_grad_enabled():
                raise RuntimeError("broken inside")
            return out

    net = Breaks()
    with pytest.raises(RuntimeError, match="broken inside"):
        explainer()(net, images_of(), 0)
    assert not any(m._forward_hooks for m in net.modules())
    assert all(p.requires_grad for p in net.parameters()) and net.training


def test_in_place_relu_does_not_change_the_record():
    torch.manual_seed(0)

    def built(inplace: bool) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.ReLU(inplace=inplace), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
        ).eval()

    plain, inplace = built(False), built(True)
    inplace.load_state_dict(plain.state_dict())
    for layer in ("0", "1"):
        reference = HiResCAM(layer=layer).raw(plain, images_of(), 0)
        assert reference.std() > 0
        assert torch.equal(HiResCAM(layer=layer).raw(inplace, images_of(), 0), reference)


@pytest.mark.parametrize(
    "net, name, channels",
    [
        (lambda: PreActResNet(4, width=4), "forward_features", 32),
        (lambda: timm.create_model("cifar_resnet20", num_classes=4), "forward_features", 64),
        (lambda: timm.create_model("mobilenetv2_050", num_classes=4), "forward_features", 1280),
        (lambda: timm.create_model("resnet10t", num_classes=4), "forward_features", 512),
    ],
)
def test_default_layer_is_the_map_the_head_pools(net, name, channels):
    net = net().eval()
    images = images_of(2, 64)
    assert place(net, images).name == name
    raw = GradCAM().raw(net, images, 1)
    head = net.get_classifier() if hasattr(net, "get_classifier") else net.linear
    assert head.in_features == channels and raw.shape[1] > 1
    with torch.no_grad():
        evidence = net(images)[:, 1] - head.bias[1]
    assert evidence.abs().min() > 1e-6
    torch.testing.assert_close(raw.sum((1, 2)), evidence, atol=1e-5, rtol=1e-4)
    assert "forward_features" not in vars(net)


def test_default_layer_without_forward_features(trained_net, pooled):
    assert place(trained_net, images_of()).name == "bn2"
    assert place(pooled.float(), images_of()).name == "3"
    pooled.double()
    assert list(maps_of(trained_net, images_of())) == ["conv1", "bn1", "conv2", "bn2"]
    assert maps_of(trained_net, images_of())["bn2"] == (16, 8, 8)


def test_layers_by_name(trained_net):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = trained_net

        def forward(self, x):
            return self.net(x)

    images = images_of()
    inner = GradCAM(layer="conv1").raw(trained_net, images, 0)
    assert inner.shape == (4, 16, 16)
    assert torch.equal(GradCAM(layer="conv1").raw(Wrapped(), images, 0), inner)
    assert torch.equal(GradCAM(layer="net.conv1").raw(Wrapped(), images, 0), inner)
    with pytest.raises(ValueError, match="no layer 'conv9'; it has conv1, bn1, conv2, bn2"):
        GradCAM(layer="conv9")(trained_net, images, 0)
    with pytest.raises(ValueError, match="instead of a map"):
        GradCAM(layer="linear")(trained_net, images, 0)


@each
def test_refuses_in_one_sentence(explainer, trained_net):
    with pytest.raises(ValueError, match=r"targets must be class indices in 0..3"):
        explainer()(trained_net, images_of(), 4)
    with pytest.raises(ValueError, match="targets must be one class index per image"):
        explainer()(trained_net, images_of(), torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        explainer()(trained_net, images_of() * 2, 0)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
    with pytest.raises(ValueError, match="no layer with a map"):
        explainer()(flat, images_of(), 0)


class Counted(nn.Module):
    """A net that counts its passes and how many layers' worth of graph each of them keeps."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net, self.passes, self.maps = net, 0, []
        net.conv1.register_forward_hook(lambda module, inputs, value: self.maps.append(value.requires_grad))

    def forward(self, x):
        self.passes += 1
        return self.net(x)


@each
def test_one_pass_for_one_picture_and_no_graph_before_the_layer(explainer, trained_net):
    net = Counted(copy.deepcopy(trained_net))
    explainer()(net, images_of(1), 0)
    assert net.passes == 2  # the first time the layer is looked for
    explainer()(net, images_of(1), 1)
    assert net.passes == 3 and not any(net.maps)
    explainer()(net, images_of(70), 1)
    assert net.passes == 5  # 64 at a time
    explainer()(net, images_of(1, 24), 1)
    assert net.passes == 7  # pictures of another size may end in another layer
    with pytest.raises(ValueError, match=r"targets must be class indices in 0..3"):
        explainer()(net, images_of(1), 4)
    named = Counted(PreActResNet(4, width=4).eval())
    explainer()(named, images_of(1), 0)
    explainer(layer="net.layer2")(named, images_of(1), 0)
    assert named.passes == 2


@each
def test_a_layer_that_the_answer_does_not_depend_on_has_a_map_of_zeros(explainer):
    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            self.main, self.beside, self.unused = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)

        def forward(self, x):
            self.beside(x)
            return self.main(x).mean((2, 3))

    assert not explainer(layer="beside")(Beside(), images_of(), 0).any()
    assert explainer(layer="main")(Beside(), images_of(), 0).any()
    with pytest.raises(ValueError, match="'unused' is not used"):
        explainer(layer="unused")(Beside(), images_of(), 0)


@each
def test_a_layer_called_twice_is_explained_at_its_last_call(explainer):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.conv, self.linear = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 2)

        def forward(self, x):
            return self.linear(torch.relu(self.conv(self.conv(x))).mean((2, 3)))

    net, images = Twice(), images_of()
    last = net.conv(net.conv(images)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(net.linear(torch.relu(last).mean((2, 3)))[:, 1].sum(), last)
    torch.testing.assert_close(explainer(layer="conv").raw(net, images, 1), explainer().weigh(last.detach(), slope))


@each
def test_a_net_without_logits_is_refused(explainer):
    with pytest.raises(ValueError, match="must answer with logits"):
        explainer()(nn.Sequential(nn.Conv2d(3, 4, 3)), images_of(), 0)
