"""Channel Lipschitzness by hand, and what it prunes."""

from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import CLP
from core.defenses.repairs.clp import outliers, uclc
from core.networks.predictions import predict
from core.runs import finish
from models.preact_resnet import PreActResNet


def pair(seed: int = 0) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution of 6 channels and its norm, all of it random."""
    torch.manual_seed(seed)
    conv, norm = nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6)
    with torch.no_grad():
        norm.weight.normal_()
        norm.running_var.uniform_(0.1, 2.0)
    return conv, norm


class TestBound:
    def test_a_kernel_with_a_single_weight(self) -> None:
        conv, norm = pair()
        with torch.no_grad():
            conv.weight[2].zero_()
            conv.weight[2, 1, 0, 2] = -3.0
            norm.weight[2], norm.running_var[2] = -0.5, 4.0
        assert uclc(conv, norm)[2].item() == pytest.approx(3.0 * 0.5 / 2.0, rel=1e-5)

    def test_a_known_singular_value(self) -> None:
        """W = 5 u v' for unit vectors u (C_in) and v (kh kw) has the one singular value 5."""
        conv, norm = pair()
        u, v = nn.functional.normalize(torch.randn(4), dim=0), nn.functional.normalize(torch.randn(9), dim=0)
        with torch.no_grad():
            conv.weight[0] = (5 * u[:, None] * v[None]).view(4, 3, 3)
            norm.weight[0], norm.running_var[0] = 2.0, 0.25
        assert uclc(conv, norm)[0].item() == pytest.approx(5.0 * 2.0 / 0.5, rel=1e-4)

    def test_it_is_the_largest_singular_value_of_each_channel(self) -> None:
        conv, norm = pair()
        for k, bound in enumerate(uclc(conv, norm)):
            sigma = torch.linalg.svdvals(conv.weight[k].detach().reshape(4, 9))[0]
            expected = sigma * norm.weight[k].abs() / (norm.running_var[k] + norm.eps).sqrt()
            torch.testing.assert_close(bound, expected.detach())

    def test_scaling_a_channel_scales_its_bound_alone(self) -> None:
        conv, norm = pair()
        before = uclc(conv, norm)
        with torch.no_grad():
            conv.weight[3] *= -7.0
        after = uclc(conv, norm)
        torch.testing.assert_close(after[3], 7 * before[3])
        others = torch.arange(6) != 3
        torch.testing.assert_close(after[others], before[others])

    def test_channels_may_come_in_any_order(self) -> None:
        conv, norm = pair()
        before, order = uclc(conv, norm), torch.randperm(6)
        with torch.no_grad():
            conv.weight.copy_(conv.weight[order].clone())
            norm.weight.copy_(norm.weight[order].clone())
            norm.running_var.copy_(norm.running_var[order].clone())
        torch.testing.assert_close(uclc(conv, norm), before[order])

    def test_no_variance_is_no_infinity(self) -> None:
        conv, norm = pair()
        norm.running_var.zero_()
        assert uclc(conv, norm).isfinite().all()

    def test_groups(self) -> None:
        conv, norm = nn.Conv2d(6, 6, 3, groups=6, bias=False), nn.BatchNorm2d(6)
        expected = conv.weight.detach().flatten(1).norm(dim=1) / math.sqrt(1 + norm.eps)
        torch.testing.assert_close(uclc(conv, norm), expected)


class TestOutliers:
    def test_mean_plus_u_sample_deviations(self) -> None:
        bounds = torch.tensor([1.0, 1.0, 1.0, 5.0])  # mean 2, sample deviation 2
        assert outliers(bounds, 1.49).tolist() == [False, False, False, True]
        assert not outliers(bounds, 1.51).any()

    @pytest.mark.parametrize("channels", [4, 16, 64])
    def test_the_largest_possible_deviation(self, channels: int) -> None:
        """One channel against C - 1 equal ones stands (C - 1) / sqrt(C) deviations out: at 16 barely 3.75."""
        bounds, most = torch.zeros(channels), (channels - 1) / math.sqrt(channels)
        bounds[1] = 1.0
        assert outliers(bounds, most - 0.01).sum() == 1
        assert not outliers(bounds, most + 0.01).any()

    def test_one_channel_has_no_neighbours(self) -> None:
        assert outliers(torch.tensor([3.0]), 0.0).tolist() == [False]


class TestWhole:
    def test_a_loud_channel_is_silenced_and_nothing_else(self, trained_net: nn.Module, colours: ImageSet) -> None:
        loud = copy.deepcopy(trained_net)
        with torch.no_grad():
            loud.conv2.weight[5] *= 50.0
        repaired = finish(CLP(u=3.0).run(loud, colours))
        assert repaired.report["masks/conv2"].nonzero().flatten().tolist() == [5]
        assert repaired.bn2.weight[5] == repaired.bn2.bias[5] == 0
        assert not repaired.report["masks/conv1"].any()
        kept = torch.arange(16) != 5
        for name, tensor in loud.state_dict().items():
            rows = kept if name in ("bn2.weight", "bn2.bias") else ...
            assert torch.equal(repaired.state_dict()[name][rows], tensor[rows])

    def test_a_wide_margin_is_the_identity(self, trained_net: nn.Module, colours: ImageSet) -> None:
        same = finish(CLP(u=20.0).run(trained_net, colours))
        assert torch.equal(predict(same, colours.images), predict(trained_net, colours.images))
        assert same.report["pruned"] == 0.0

    def test_no_image_decides(self, trained_net: nn.Module, colours: ImageSet) -> None:
        black = dataclasses.replace(colours, images=torch.zeros_like(colours.images))
        one, other = (finish(CLP(u=1.0).run(trained_net, data, seed=s)) for s, data in enumerate((colours, black)))
        assert one.report["pruned"] > 0
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(mine, theirs)

    def test_a_norm_after_a_sum_is_left_alone(self, colours: ImageSet) -> None:
        torch.manual_seed(0)
        net = PreActResNet(num_classes=4, width=4).eval()
        repaired = finish(CLP(u=1.0).run(net, colours))
        ranked = {name.removeprefix("uclc/") for name in repaired.report if name.startswith("uclc/")}
        assert ranked == {"conv1"} | {f"layer{i}.{j}.conv1" for i in range(1, 5) for j in range(2)}
        for name, module in repaired.named_modules():
            if isinstance(module, nn.BatchNorm2d) and name.endswith("bn1") and name != "layer1.0.bn1":
                assert (module.weight == 1).all()

    def test_a_model_without_pairs_is_refused(self, colours: ImageSet) -> None:
        net = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        with pytest.raises(ValueError, match="right after a convolution"):
            finish(CLP().run(net, colours))

    def test_paper_setting(self) -> None:
        assert CLP.paper().u == 3.0
