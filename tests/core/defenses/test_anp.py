"""Channel masks, noise on batch norms, and pruning by masks."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import ANP
from core.defenses.repairs.anp.channel_noise import Noisy, UnderNoise
from core.defenses.shared.channel_masks import Masked, at_most, maskable, prune, share
from core.networks.predictions import predict
from core.optim.objectives import supervised
from core.runs import finish
from models.preact_resnet import PreActResNet

NORMS = ["bn1", "bn2"]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def some_masks(seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return {"bn1": torch.rand(8), "bn2": torch.rand(16)}


def gradients(model: nn.Module, data: ImageSet, gradient: UnderNoise | None) -> list[torch.Tensor]:
    """The gradient of the masks on one batch."""
    model.train()
    one_pass = supervised()(model, data.pixels, data.labels)
    if gradient is None:
        one_pass()
    else:
        with gradient(model, one_pass):
            pass
    found = [mask.grad.clone() for mask in model.masks]
    model.zero_grad(set_to_none=True)
    return found


class TestMasked:
    def test_masks_of_one_are_the_model(self, trained_net: nn.Module, colours: ImageSet) -> None:
        for wrapped in (Masked(trained_net, NORMS), Noisy(trained_net, NORMS)):
            assert torch.equal(predict(wrapped, colours.images), predict(trained_net, colours.images))

    def test_it_scales_gamma_alone(self, trained_net: nn.Module, colours: ImageSet) -> None:
        wrapped = Masked(trained_net, NORMS)
        with torch.no_grad():
            wrapped.masks[0][3], wrapped.masks[1][5] = 0.0, 0.0
        marked = {"bn1": torch.arange(8) == 3, "bn2": torch.arange(16) == 5}
        expected = predict(prune(trained_net, marked), colours.images)
        assert torch.equal(predict(wrapped, colours.images), expected)
        assert not torch.equal(expected, predict(trained_net, colours.images))

    def test_only_masks_can_be_trained(self, trained_net: nn.Module) -> None:
        trainable = {name for name, p in Masked(trained_net, NORMS).named_parameters() if p.requires_grad}
        assert trainable == {"masks.0", "masks.1"}

    def test_folded_norms_have_no_mask(self, trained_net: nn.Module) -> None:
        half = copy.deepcopy(trained_net)
        half.bn1.running_mean.zero_()
        half.bn1.running_var.fill_(1.0)
        assert maskable(half, "ANP") == ["bn2"]

    def test_norms_without_a_scale_are_refused(self) -> None:
        with pytest.raises(ValueError, match="have no scale"):
            maskable(nn.Sequential(nn.BatchNorm2d(3, affine=False)), "ANP")


class TestPrune:
    def test_gamma_is_zero_and_beta_stays(self, trained_net: nn.Module) -> None:
        marked = at_most(some_masks(), 0.5)
        pruned = prune(trained_net, marked)
        for name, tensor in trained_net.state_dict().items():
            after = pruned.state_dict()[name]
            norm, _, kind = name.rpartition(".")
            if norm in marked and kind == "weight":
                assert (after[marked[norm]] == 0).all()
                assert torch.equal(after[~marked[norm]], tensor[~marked[norm]])
            else:
                assert torch.equal(after, tensor)
        assert share(marked) > 0

    def test_nested_in_the_threshold(self) -> None:
        cuts = [at_most(some_masks(), threshold / 20) for threshold in range(21)]
        for small, wide in pairwise(cuts):
            assert all(not (small[name] & ~wide[name]).any() for name in small)
        assert share(cuts[-1]) == 1.0

    def test_below_every_mask_is_the_identity(self, trained_net: nn.Module) -> None:
        masks = some_masks()
        lowest = min(mask.min().item() for mask in masks.values())
        same = prune(trained_net, at_most(masks, lowest - 1e-3))
        for name, tensor in trained_net.state_dict().items():
            assert torch.equal(same.state_dict()[name], tensor)


class TestNoise:
    def test_it_moves_both_scale_and_shift(self, trained_net: nn.Module, colours: ImageSet) -> None:
        noisy = Noisy(trained_net, NORMS)
        noisy.draw(0.4, generator())
        expected = copy.deepcopy(trained_net)
        with torch.no_grad():
            for norm, d, xi in zip((expected.bn1, expected.bn2), noisy.d, noisy.xi, strict=True):
                norm.weight.mul_(1 + d)
                norm.bias.mul_(1 + xi)
        torch.testing.assert_close(predict(noisy, colours.images), predict(expected, colours.images))
        noisy.quiet()
        assert torch.equal(predict(noisy, colours.images), predict(trained_net, colours.images))

    @pytest.mark.parametrize("steps", [1, 4])
    def test_it_stays_within_eps(self, trained_net: nn.Module, colours: ImageSet, steps: int) -> None:
        seen = []

        class Spy(Noisy):
            def quiet(self) -> None:
                seen.extend(noise.detach().abs().max().item() for noise in [*self.d, *self.xi])
                super().quiet()

        gradients(Spy(trained_net, NORMS), colours, UnderNoise(0.4, steps, 0.2, generator()))
        assert 0.2 < min(seen) <= max(seen) <= 0.4 + 1e-6

    def test_it_raises_the_loss(self, trained_net: nn.Module, colours: ImageSet) -> None:
        noisy = Noisy(trained_net, NORMS)
        one_pass = supervised()(noisy.train(), colours.pixels, colours.labels)
        plain = one_pass()
        with UnderNoise(0.8, 1, 0.5, generator())(noisy, one_pass) as both:
            pass
        assert both["loss"] > plain["loss"] + 0.01

    def test_without_noise_it_is_the_plain_gradient(self, trained_net: nn.Module, colours: ImageSet) -> None:
        plain = gradients(Masked(trained_net, NORMS), colours, None)
        for alpha in (0.0, 0.2, 1.0):
            same = gradients(Noisy(trained_net, NORMS), colours, UnderNoise(0.0, 1, alpha, generator()))
            for mine, theirs in zip(same, plain, strict=True):
                torch.testing.assert_close(mine, theirs)

    def test_alpha_mixes_the_two_gradients(self, trained_net: nn.Module, colours: ImageSet) -> None:
        def at(alpha: float) -> list[torch.Tensor]:
            return gradients(Noisy(trained_net, NORMS), colours, UnderNoise(0.4, 1, alpha, generator()))

        for first, second, mixed in zip(at(1.0), at(0.0), at(0.2), strict=True):
            torch.testing.assert_close(mixed, 0.2 * first + 0.8 * second)
            assert not torch.allclose(first, second)

    def test_statistics_move_once_a_step(self, trained_net: nn.Module, colours: ImageSet) -> None:
        noisy = Noisy(trained_net, NORMS)
        before = noisy.net.bn1.num_batches_tracked.item()
        gradients(noisy, colours, UnderNoise(0.4, 3, 0.2, generator()))
        assert noisy.net.bn1.num_batches_tracked.item() == before + 1


class TestWhole:
    def test_masks_fall_within_their_range_and_decide(self, trained_net: nn.Module, colours: ImageSet) -> None:
        method = ANP(steps=20, batch_size=16, lr=2.0, eps=1.5, threshold=0.6, selection="fixed")
        report = (repaired := finish(method.run(trained_net, colours))).report
        masks = torch.cat([report["anp/conv1"], report["anp/conv2"]])
        assert 0 <= masks.min() < 0.9 and masks.max() <= 1
        assert report["threshold"] == 0.6
        for conv, norm in (("conv1", "bn1"), ("conv2", "bn2")):
            marked = report[f"masks/{conv}"]
            assert torch.equal(marked, report[f"anp/{conv}"] <= 0.6)
            gamma, old = repaired.get_submodule(norm).weight, trained_net.get_submodule(norm).weight
            assert (gamma[marked] == 0).all()
            assert torch.equal(gamma[~marked], old[~marked])
        assert report["pruned"] > 0
        assert torch.equal(repaired.conv1.weight, trained_net.conv1.weight)
        assert torch.equal(repaired.bn2.running_mean, trained_net.bn2.running_mean)

    def test_no_steps_is_the_identity(self, trained_net: nn.Module, colours: ImageSet) -> None:
        same = finish(ANP(steps=0, threshold=0.9, selection="fixed").run(trained_net, colours))
        assert torch.equal(predict(same, colours.images), predict(trained_net, colours.images))
        assert same.report["pruned"] == 0.0

    def test_clean_rule_keeps_validation_accuracy(self, trained_net: nn.Module, colours: ImageSet) -> None:
        method = ANP(steps=10, batch_size=16, lr=0.5, eps=1.5, threshold=1.0, candidates=8)
        report = finish(method.run(trained_net, colours)).report
        assert report["validation/threshold=1"] < 0.95 * report["validation/before"]  # everything is pruned there
        assert report["validation/after"] >= 0.95 * report["validation/before"]
        assert 0 < report["threshold"] < 1

    def test_the_oracle_takes_the_lowest_asr(self, trained_net: nn.Module, colours: ImageSet) -> None:
        asked = []

        def oracle(model: nn.Module) -> float:
            asked.append(int((model.bn2.weight == 0).sum()))
            return float(len(asked) != 2)

        method = ANP(steps=5, batch_size=16, threshold=0.9, tau=0.5, candidates=3, selection="oracle")
        report = finish(method.run(trained_net, colours, oracle=oracle)).report
        assert len(asked) == 3
        assert report["threshold"] == pytest.approx(0.6)

    def test_names_of_a_pre_activation_net(self, colours: ImageSet) -> None:
        torch.manual_seed(0)
        net = PreActResNet(num_classes=4, width=4).eval()
        report = finish(ANP(steps=1, batch_size=16, selection="fixed").run(net, colours)).report
        names = {name.removeprefix("anp/") for name in report if name.startswith("anp/")}
        blocks = [f"layer{i}.{j}" for i in range(1, 5) for j in range(2)]
        after_a_sum = {f"{block}.bn1" for block in blocks[1:]} | {"bn"}
        assert names == {"conv1"} | {f"{block}.conv1" for block in blocks} | after_a_sum
        assert len(report["anp/layer3.1.conv1"]) == len(net.layer3[1].conv1.weight)

    def test_paper_setting(self) -> None:
        paper = ANP.paper()
        assert (paper.eps, paper.noise_steps, paper.alpha, paper.lr, paper.threshold) == (0.4, 1, 0.2, 0.2, 0.2)
        assert (paper.steps, paper.batch_size, paper.selection) == (2000, 128, "fixed")
