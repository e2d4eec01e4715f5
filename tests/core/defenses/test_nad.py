"""Attention maps and the distillation of them."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

import models  # noqa: F401  (registers the architectures)
from core.data.imageset import ImageSet
from core.defenses import NAD, FineTuning
from core.defenses.repairs.nad.attention import Distillation, attention
from core.networks.feature_maps import as_map, feature_maps, watching
from core.networks.model_state import working_copy
from core.networks.predictions import predict
from core.optim.objectives import supervised
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import finish
from models.cifar_resnet import CifarResNet
from models.preact_resnet import PreActResNet


def moved(model: nn.Module) -> nn.Module:
    """A copy whose weights have all been moved a little."""
    copy, generator = working_copy(model), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return copy.requires_grad_(False)


class TestAttention:
    def test_by_hand(self) -> None:
        features = torch.tensor([[[1.0, 0.0], [-2.0, 3.0]]])  # two channels, two positions
        expected = torch.tensor([[5.0, 9.0]]) / torch.tensor(5.0**2 + 9.0**2).sqrt()
        torch.testing.assert_close(attention(features, 2.0), expected)
        torch.testing.assert_close(attention(features, 1.0), torch.tensor([[3.0, 3.0]]) / 18**0.5)

    def test_scaling_the_features_changes_nothing(self) -> None:
        features = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(attention(7 * features, 2.0), attention(features, 2.0))
        torch.testing.assert_close(attention(-features, 2.0), attention(features, 2.0))

    def test_a_single_position_says_nothing(self) -> None:
        one, other = torch.rand(2, 3, 8, 1, generator=torch.Generator().manual_seed(0)) + 0.5
        torch.testing.assert_close(attention(one, 2.0), torch.ones(3, 1))
        torch.testing.assert_close(attention(one, 2.0), attention(other, 2.0))

    def test_nothing_active_is_no_nan(self) -> None:
        assert (attention(torch.zeros(1, 2, 4), 2.0) == 0).all()


class TestStages:
    PICTURE = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)

    def test_residual_nets(self) -> None:
        assert feature_maps(PreActResNet(width=4), self.PICTURE) == ["layer2", "layer3", "layer4"]
        assert feature_maps(CifarResNet(n=1), self.PICTURE) == ["layer1", "layer2", "layer3"]

    def test_inside_another_module(self) -> None:
        assert feature_maps(nn.Sequential(PreActResNet(width=4)), self.PICTURE) == ["0.layer2", "0.layer3", "0.layer4"]

    def test_maps_of_one_position_are_left_out(self) -> None:
        net = timm.create_model("resnet18", num_classes=10)  # its layer4 is 1x1 on 32 pixels
        assert feature_maps(net, self.PICTURE) == ["layer1", "layer2", "layer3"]

    def test_a_transformer(self) -> None:
        arguments = dict(img_size=32, patch_size=8, embed_dim=12, depth=4, num_heads=2)
        net = timm.create_model("vit_tiny_patch16_224", num_classes=10, **arguments)
        assert feature_maps(net, self.PICTURE) == ["blocks.1", "blocks.2", "blocks.3"]

    def test_a_plain_chain_by_resolution(self, trained_net: nn.Module) -> None:
        assert feature_maps(trained_net, self.PICTURE) == ["bn1", "bn2"]
        chain = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )
        assert feature_maps(chain, self.PICTURE) == ["1", "4"]

    def test_no_maps(self) -> None:
        with pytest.raises(ValueError, match="more than one position"):
            feature_maps(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)), self.PICTURE)

    def test_shapes(self) -> None:
        assert as_map(torch.zeros(2, 8, 4, 5)).shape == (2, 8, 20)
        assert as_map(torch.zeros(2, 4, 4, 8)).shape == (2, 8, 16)  # channels last, as in Swin
        assert as_map(torch.zeros(2, 17, 8)).shape == (2, 8, 17)
        assert as_map(torch.zeros(2, 8, 1, 1)) is None
        assert as_map(torch.zeros(2, 8)) is None


class TestDistillation:
    def loss(self, student: nn.Module, teacher: nn.Module, data: ImageSet, **betas: float) -> tuple[float, dict]:
        distil = Distillation(teacher, betas, 2.0)
        return distil(student, data.pixels, data.labels)()["loss"].item(), distil.terms

    def test_a_teacher_like_the_student_adds_nothing(self, trained_net: nn.Module, colours: ImageSet) -> None:
        student, twin = working_copy(trained_net), working_copy(trained_net).requires_grad_(False)
        loss, terms = self.loss(student, twin, colours, bn1=1000.0, bn2=1000.0)
        assert terms == {"bn1": 0.0, "bn2": 0.0}
        plain = supervised()(student, colours.pixels, colours.labels)()["loss"].item()
        assert loss == pytest.approx(plain, rel=1e-5)

    def test_the_sum_of_the_formula(self, trained_net: nn.Module, colours: ImageSet) -> None:
        student, teacher = working_copy(trained_net), moved(trained_net)
        loss, terms = self.loss(student, teacher, colours, bn1=500.0, bn2=1000.0)
        plain = supervised()(student, colours.pixels, colours.labels)()["loss"].item()
        assert min(terms.values()) > 0
        assert loss == pytest.approx(plain + 500 * terms["bn1"] + 1000 * terms["bn2"], rel=1e-3)
        with torch.no_grad(), watching(student, ["bn1"]) as (_, mine), watching(teacher, ["bn1"]) as (_, theirs):
            student(colours.pixels)
            teacher(colours.pixels)
        expected = (attention(mine["bn1"], 2.0) - attention(theirs["bn1"], 2.0)).square().mean().item()
        assert terms["bn1"] == pytest.approx(expected, rel=0.05)  # bfloat16 where the processor has it

    def test_the_teacher_gets_no_gradient_and_nothing_stays(self, trained_net: nn.Module, colours: ImageSet) -> None:
        student, teacher = working_copy(trained_net), moved(trained_net)
        before = [buffer.clone() for buffer in teacher.buffers()]
        self.loss(student, teacher, colours, bn1=500.0)
        assert all(parameter.grad is None for parameter in teacher.parameters())
        assert all(torch.equal(a, b) for a, b in zip(before, teacher.buffers(), strict=True))
        assert student.conv1.weight.grad.abs().sum() > 0
        for model in (student, teacher):
            assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


class TestWhole:
    def test_no_steps_are_the_identity(self, trained_net: nn.Module, colours: ImageSet) -> None:
        same = finish(NAD(teacher_steps=2, steps=0, batch_size=16).run(trained_net, colours))
        assert torch.equal(predict(same, colours.images), predict(trained_net, colours.images))

    def test_without_betas_it_is_fine_tuning(self, trained_net: nn.Module, colours: ImageSet) -> None:
        shared = dict(steps=3, batch_size=16, lr=0.05)
        plain = finish(FineTuning(**shared).run(trained_net, colours))
        off = dict(beta_low=0.0, beta_middle=0.0, beta_high=0.0)
        same = finish(NAD(teacher_steps=0, **off, **shared).run(trained_net, colours))
        for mine, theirs in zip(same.parameters(), plain.parameters(), strict=True):
            torch.testing.assert_close(mine, theirs)

    def test_the_maps_come_together(self, trained_net: nn.Module, colours: ImageSet) -> None:
        distil = Distillation(moved(trained_net), {"bn1": 1000.0, "bn2": 1000.0}, 2.0)
        config = SGDConfig(30, 32, 0.02, 0.9, 0.0, "constant", True, 2)
        student, generator = working_copy(trained_net), torch.Generator().manual_seed(0)
        run = train_with_sgd(student, colours, config, generator=generator, objective=distil)
        apart = [sum(distil.terms.values()) for _ in run]
        assert apart[-1] < 0.5 * apart[0]

    def test_statistics_move_once_a_step(self, trained_net: nn.Module, colours: ImageSet) -> None:
        repaired = finish(NAD(teacher_steps=2, steps=3, batch_size=16).run(trained_net, colours))
        assert repaired.bn1.num_batches_tracked == trained_net.bn1.num_batches_tracked + 3

    def test_stages_in_the_papers_order(self, trained_net: nn.Module, colours: ImageSet) -> None:
        run = NAD(teacher_steps=1, steps=2, batch_size=16).run(trained_net, colours)
        assert [progress.stage for progress in run] == ["teacher", "distil", "distil", "select"]

    def test_paper_setting(self) -> None:
        paper = NAD.paper()
        assert (paper.beta_low, paper.beta_middle, paper.beta_high, paper.power) == (500.0, 1000.0, 1000.0, 2.0)
        assert (paper.teacher_steps, paper.steps, paper.lr, paper.batch_size) == (100, 100, 0.01, 256)
        assert paper.schedule == "constant"
