"""Our architectures, as timm builds them."""

import pytest
import timm
import torch

import models.bagnet
import models.cifar_resnet
import models.mobilenet
import models.preact_resnet
import models.vgg


@pytest.mark.parametrize(
    ("name", "arguments", "parameters"),
    [
        ("cifar_resnet20", {}, 269_722),
        ("cifar_resnet32", {}, 464_154),
        ("preact_resnet18", {}, 11_172_170),
        ("preact_resnet18", {"width": 16}, 701_018),
        ("cifar_vgg11", {"batch_norm": False}, 9_225_610),
        ("cifar_vgg16", {}, 14_728_266),
        ("cifar_vgg16", {"width": 16, "head": "flatten", "batch_norm": 0}, 955_098),
        ("cifar_bagnet", {}, 457_290),
        ("cifar_bagnet", {"width": 16, "field": 11}, 27_674),
        ("cifar_mobilenetv2", {}, 2_237_770),
        ("cifar_mobilenetv2", {"width": 0.25, "depth": 0.5, "output_stride": 16}, 119_930),
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


def test_a_vgg_has_the_names_of_its_published_versions() -> None:
    names = set(timm.create_model("cifar_vgg16", width=8).state_dict())
    assert {"features.0.weight", "features.1.running_mean", "features.41.weight", "classifier.weight"} <= names
    flat = set(timm.create_model("cifar_vgg16", width=8, head="flatten").state_dict())
    assert {"classifier.0.weight", "classifier.3.weight", "classifier.6.weight"} <= flat


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_a_vgg_has_as_many_layers_as_its_name_says(depth: int) -> None:
    net = timm.create_model(f"cifar_vgg{depth}", width=4, batch_norm=False, head="flatten")
    assert sum(isinstance(module, torch.nn.Conv2d | torch.nn.Linear) for module in net.modules()) == depth
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules())


def test_a_plain_vgg_starts_with_a_signal_that_reaches_its_end() -> None:
    torch.manual_seed(0)
    net = timm.create_model("cifar_vgg19", width=16, batch_norm=False).eval()
    assert net(torch.randn(8, 3, 32, 32)).std() > 0.1


def test_a_flattening_vgg_is_for_one_size() -> None:
    net = timm.create_model("cifar_vgg11", width=4, head="flatten", img_size=64)
    assert net(torch.rand(2, 3, 64, 64)).shape == (2, 10)
    with pytest.raises(ValueError, match="images of 64 pixels alone"):
        net(torch.rand(2, 3, 32, 32))
    with pytest.raises(ValueError, match="depth 11, 13, 16 or 19"):
        models.vgg.CifarVGG(depth=12)


def test_an_inverted_residual_adds_its_input_where_the_shape_stays() -> None:
    x = torch.rand(2, 8, 6, 6)
    block = models.mobilenet.InvertedResidual(8, 8, 1, 6).eval()
    torch.nn.init.zeros_(block.bn3.weight)
    assert torch.equal(block(x), x)
    assert models.mobilenet.InvertedResidual(8, 16, 2, 6)(x).shape == (2, 16, 3, 3)


def test_how_far_a_mobilenet_shrinks_its_maps() -> None:
    images = torch.rand(2, 3, 32, 32)
    for stride in (8, 16):
        net = timm.create_model("cifar_mobilenetv2", width=0.25, depth=0.3, output_stride=stride)
        assert net.forward_features(images).shape == (2, 320, 32 // stride, 32 // stride)
    with pytest.raises(ValueError, match="8 or 16, not 4"):
        models.mobilenet.CifarMobileNetV2(output_stride=4)


class TestBagNet:
    @pytest.mark.parametrize("field", sorted(models.bagnet.FIELDS))
    def test_its_evidence_adds_up_to_its_logits(self, field: int) -> None:
        net = timm.create_model("cifar_bagnet", width=16, field=field, num_classes=7).eval()
        images = torch.rand(3, 3, 32, 32)
        evidence = net.evidence(images)
        assert evidence.shape == (3, 7, 8, 8) and evidence.std() > 0
        torch.testing.assert_close(evidence.sum((2, 3)), net(images))

    @pytest.mark.parametrize("field", sorted(models.bagnet.FIELDS))
    def test_a_position_sees_its_patch_and_nothing_else(self, field: int) -> None:
        torch.manual_seed(0)
        net = timm.create_model("cifar_bagnet", width=8, field=field).eval().double()
        images = torch.rand(4, 3, 64, 64, dtype=torch.float64, requires_grad=True)
        net.evidence(images)[:, :, 8, 8].sum().backward()
        seen = images.grad.abs().amax((0, 1)) > 0
        rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
        for axis in (rows, columns):
            assert axis[-1] - axis[0] + 1 == field
            assert axis[0] == 8 * 4 - field // 2

    def test_grad_cam_is_its_evidence_without_the_bias(self) -> None:
        from core.explain import GradCAM

        torch.manual_seed(0)
        net = timm.create_model("cifar_bagnet", width=8).eval()
        images, targets = torch.rand(2, 3, 32, 32), torch.tensor([1, 4])
        own = net.evidence(images)[torch.arange(2), targets] - net.linear.bias[targets][:, None, None] / 64
        torch.testing.assert_close(GradCAM().raw(net, images, targets), own, rtol=1e-4, atol=1e-5)

    def test_another_field_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"field = 9 is not one of 11, 17\."):
            models.bagnet.CifarBagNet(field=9)
