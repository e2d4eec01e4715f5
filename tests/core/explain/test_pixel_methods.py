"""Maps of pixels, on functions whose map is known, and beside captum."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.explain import LRP, RISE, GuidedBackprop, IntegratedGradients, Occlusion, Saliency, SmoothGrad
from core.explain.heatmaps.fills import filled
from core.explain.heatmaps.saliency import input_gradient
from core.runs import finish
from tests.conftest import colour_set

attr = pytest.importorskip("captum.attr")


class Linear(nn.Module):
    """f_k = w_k . x + b_k."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3 * 8 * 8, 2).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))

    def weight(self, k: int) -> Tensor:
        return self.linear.weight[k].detach().view(3, 8, 8)


class Chain(nn.Module):
    """Convolutions, ReLUs and pooling without a bias, all of them modules, as captum wants."""

    def __init__(self, bias: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.relu1 = nn.Conv2d(3, 8, 3, 1, 1, bias=bias), nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2, self.relu2 = nn.Conv2d(8, 8, 3, 1, 1, bias=bias), nn.ReLU()
        self.pool2, self.linear = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.pool2(self.relu2(self.conv2(self.pool1(self.relu1(self.conv1(x)))))).flatten(1))


IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_linear_models_maps_are_its_weights() -> None:
    net = Linear()
    weight = net.weight(1).expand(2, -1, -1, -1)
    torch.testing.assert_close(Saliency()(net, IMAGES, 1), weight.abs().amax(1))
    torch.testing.assert_close(Saliency(absolute=False)(net, IMAGES, 1), weight.sum(1))
    torch.testing.assert_close(SmoothGrad(samples=3)(net, IMAGES, 1), weight.sum(1))
    torch.testing.assert_close(GuidedBackprop()(net, IMAGES, 1), weight.sum(1))
    torch.testing.assert_close(IntegratedGradients(steps=1)(net, IMAGES, 1), (weight * IMAGES).sum(1))
    change = weight * (IMAGES - IMAGES.mean((2, 3), keepdim=True))
    torch.testing.assert_close(IntegratedGradients(steps=2, baseline="mean")(net, IMAGES, 1), change.sum(1))


def test_occlusion_of_a_linear_model_is_each_windows_part_averaged_where_windows_overlap() -> None:
    net = Linear()
    parts = (net.weight(0) * IMAGES).sum(1)
    alone = F.avg_pool2d(parts[:, None], 2, 1, divisor_override=1)[:, 0]  # window of 2, step of 1
    covered, count = torch.zeros(2, 8, 8).double(), torch.zeros(8, 8)
    for y in range(7):
        for x in range(7):
            covered[:, y : y + 2, x : x + 2] += alone[:, y : y + 1, x : x + 1]
            count[y : y + 2, x : x + 2] += 1
    found = Occlusion(window=0.25, fill="black")(net, IMAGES, 0)
    torch.testing.assert_close(found, covered / count, atol=1e-6, rtol=1e-5)


def test_saliency_against_finite_differences_and_captum(trained_net: nn.Module) -> None:
    net, images = trained_net.double(), colour_set(2).pixels.double()
    try:
        slope = input_gradient(net, images, torch.tensor([1, 2]))
        reference = attr.Saliency(net).attribute(images.clone().requires_grad_(), target=[1, 2], abs=False)
        assert reference.std() > 0
        torch.testing.assert_close(slope, reference, atol=1e-12, rtol=0)
        for y, x in torch.randint(16, (20, 2), generator=torch.Generator().manual_seed(0)).tolist():
            step = torch.zeros_like(images)
            step[:, 1, y, x] = 1e-6
            rise = (net(images + step) - net(images - step)).gather(1, torch.tensor([[1], [2]]))[:, 0] / 2e-6
            torch.testing.assert_close(slope[:, 1, y, x], rise, rtol=1e-4, atol=1e-7)
    finally:
        net.float()


@pytest.mark.parametrize("baseline", ["black", "mean", "blur"])
def test_integrated_gradients_add_up_to_the_change_of_the_logit(baseline: str) -> None:
    net, images = Chain(bias=True).double(), colour_set(2).pixels.double()
    maps = IntegratedGradients(baseline=baseline, steps=200)(net, images, 1)
    wanted = (net(images) - net(filled(images, baseline)))[:, 1].detach()
    assert wanted.abs().min() > 1e-4
    torch.testing.assert_close(maps.sum((1, 2)), wanted, rtol=0.01, atol=1e-5)


def test_integrated_gradients_of_a_square_are_exact_with_one_step() -> None:
    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack((x.square().sum((1, 2, 3)), x.sum((1, 2, 3))), 1)

    torch.testing.assert_close(IntegratedGradients(steps=1)(Square(), IMAGES, 0), IMAGES.float().square().sum(1))
    grey = torch.full((1, 3, 8, 8), 0.5)
    assert not IntegratedGradients(baseline="mean")(Square(), grey, 0).any()


def test_smoothgrad_converges_to_the_gradient_of_a_quadratic_and_without_noise_is_the_gradient() -> None:
    class Quadratic(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack((0.5 * x.square().sum((1, 2, 3)), x.sum((1, 2, 3))), 1)

    error = {n: (SmoothGrad(samples=n)(Quadratic(), IMAGES, 0) - IMAGES.sum(1)).std().item() for n in (5, 500)}
    sigma = 0.15 * float(IMAGES[0].max() - IMAGES[0].min())
    assert error[500] == pytest.approx(sigma * (3 / 500) ** 0.5, rel=0.2) and error[5] > 5 * error[500]
    images = colour_set(2).pixels
    net = Chain()
    plain = Saliency(absolute=False)(net, images, 1)
    assert plain.std() > 0
    torch.testing.assert_close(SmoothGrad(noise=0.0, samples=3)(net, images, 1), plain)


def test_fills() -> None:
    images = colour_set(2).pixels
    assert not filled(images, "black").any()
    assert torch.equal(filled(images, "mean")[0, 1], images[0, 1].mean().expand(16, 16))
    grey = torch.full((1, 3, 16, 16), 0.3)
    torch.testing.assert_close(filled(grey, "blur"), grey)
    assert filled(images, "blur").std() < images.std()
    with pytest.raises(ValueError, match="'noise' is not one of black, mean, blur"):
        filled(images, "noise")


class TestRISE:
    def test_each_pixels_mask_is_p_on_average(self) -> None:
        masks = RISE(keep=0.3).draw(4000, (32, 32), torch.Generator().manual_seed(0))
        assert masks.min() >= 0 and masks.max() <= 1 and ((masks > 0.01) & (masks < 0.99)).any()
        torch.testing.assert_close(masks.mean(0), torch.full((32, 32), 0.3), atol=4 * 0.44 / 4000**0.5, rtol=0)
        assert RISE().draw(2, (30, 31), torch.Generator()).shape == (2, 30, 31)

    def test_a_constant_model(self) -> None:
        class Constant(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.tensor([[0.0, 1.0]]).expand(len(x), 2)

        images, share = torch.rand(2, 3, 16, 16), torch.tensor([0.0, 1.0]).softmax(0)[1]
        method = RISE(masks=130, centred=False)
        generator = torch.Generator().manual_seed(5)
        mean = torch.cat([method.draw(n, (16, 16), generator) for n in (50, 50, 30)]).mean(0)
        found = finish(method.run(Constant(), images, 1, seed=5))
        torch.testing.assert_close(found, (share * mean / 0.5).expand(2, -1, -1))
        assert RISE(masks=130)(Constant(), images, 1).abs().max() < 1e-6

    def test_one_pixel_cells_of_a_model_whose_probability_is_linear(self) -> None:
        class Share(nn.Module):
            """p_0 = w . x, so that S_i = p f(x) + (1 - p) w_i x_i; less p f(x) where it is centred."""

            def forward(self, x: Tensor) -> Tensor:
                share = (x[:, 0] * WEIGHT).sum((1, 2)).clamp(1e-6, 1 - 1e-6)
                return torch.stack((share.log(), (1 - share).log()), 1)

        class Pixels(RISE):
            """Each pixel is kept by itself."""

            def draw(self, n: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
                return (torch.rand(n, *size, generator=generator) < self.keep).float()

        side = 4
        WEIGHT = torch.rand(side, side, generator=torch.Generator().manual_seed(0)) / 16
        image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
        parts = WEIGHT * image[0, 0]
        wanted = 0.5 * parts.sum() + 0.5 * parts
        found = Pixels(masks=20000, centred=False)(Share(), image, 0)[0]
        torch.testing.assert_close(found, wanted, atol=0.02, rtol=0)
        torch.testing.assert_close(Pixels(masks=20000)(Share(), image, 0)[0], 0.5 * parts, atol=0.003, rtol=0)

    def test_the_map_sharpens_while_it_runs(self, trained_net: nn.Module) -> None:
        data = colour_set(2)
        moments = list(RISE(masks=400).run(trained_net, data.pixels, data.labels))
        assert [m.step for m in moments] == list(range(50, 401, 50))
        shown = [m.images["map"] for m in moments]
        assert shown[0].shape == (2, 1, 16, 16) and all(m.min() >= 0 and m.max() == 1 for m in shown)
        distance = [(m - shown[-1]).abs().mean() for m in shown]
        assert distance[0] > distance[-2] > 0


class TestGuidedBackprop:
    def test_equal_to_captum_where_the_relus_are_modules(self) -> None:
        net, images = Chain(bias=True), colour_set(3).pixels
        reference = attr.GuidedBackprop(net).attribute(images.clone().requires_grad_(), target=2).sum(1).detach()
        assert reference.std() > 0
        torch.testing.assert_close(GuidedBackprop()(net, images, 2), reference, atol=1e-7, rtol=1e-5)
        assert not torch.allclose(reference, Saliency(absolute=False)(net, images, 2))

    @pytest.mark.parametrize("relu", [F.relu, torch.relu, lambda x: x.relu(), lambda x: F.relu(x, inplace=True)])
    def test_sees_relus_that_are_calls(self, relu) -> None:
        class Calls(Chain):
            def forward(self, x: Tensor) -> Tensor:
                x = self.pool1(relu(self.conv1(x)))
                return self.linear(self.pool2(relu(self.conv2(x))).flatten(1))

        images = colour_set(2).pixels
        maps = GuidedBackprop()(Calls(), images, 1)
        assert maps.std() > 0
        torch.testing.assert_close(maps, GuidedBackprop()(Chain(), images, 1))


class TestLRP:
    @pytest.mark.parametrize("gamma", [0.0, 0.25, 2.0])
    def test_equal_to_captum_on_a_chain(self, gamma: float) -> None:
        from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule

        net, images = Chain().double(), colour_set(2).pixels.double()
        net.conv1.rule, net.conv2.rule = (GammaRule(gamma) if gamma else EpsilonRule() for _ in range(2))
        del net.pool2
        net.pool2 = nn.AvgPool2d(8)
        reference = attr.LRP(net).attribute(images.clone().requires_grad_(), target=1).sum(1).detach()
        assert (reference > 0).double().mean() > 0.2 and reference.std() > 0
        torch.testing.assert_close(LRP(gamma=gamma)(net, images, 1), reference, atol=1e-8, rtol=1e-5)

    @pytest.mark.parametrize("gamma", [0.0, 0.25])
    def test_keeps_the_logit_also_through_residual_sums(self, gamma: float) -> None:
        net, images = Residual().double(), colour_set(3).pixels.double()
        found = LRP(gamma=gamma)(net, images, 1).sum((1, 2))
        torch.testing.assert_close(found, net(images)[:, 1].detach(), atol=1e-10, rtol=1e-8)

    def test_epsilon_is_input_times_gradient(self) -> None:
        net, images = Chain(bias=True), colour_set(2).pixels
        wanted = (images * input_gradient(net, images, torch.tensor([1, 1]))).sum(1)
        assert wanted.std() > 0
        torch.testing.assert_close(LRP(gamma=0.0)(net, images, 1), wanted)
        assert not torch.allclose(LRP()(net, images, 1), wanted)

    def test_needs_a_convolution_that_sees_the_picture(self) -> None:
        with pytest.raises(ValueError, match="needs a convolution"):
            LRP()(nn.Sequential(nn.Flatten(), nn.Linear(768, 4)), colour_set(1).pixels, 0)
        halved = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 4))
        with pytest.raises(ValueError, match="does not see the picture"):
            LRP()(halved, colour_set(1).pixels, 0)


class Residual(Chain):
    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        return self.linear(F.relu(x + self.conv2(x)).mean((2, 3)))
