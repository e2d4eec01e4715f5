"""The class activation maps beyond Grad-CAM, on networks small enough to do by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.explain import AblationCAM, EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM
from core.explain.heatmaps.channel_cam import from_layer
from core.explain.heatmaps.layers import place
from tests.conftest import colour_set


class Pooled(nn.Module):
    """f = W mean(A), A the picture's own channels: everything about it is on one line."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.layer, self.linear = nn.Identity(), nn.Linear(3, len(weight), bias=False)
        self.linear.weight.data = weight.clone()
        self.layer = nn.Conv2d(3, 3, 1, bias=False)
        self.layer.weight.data = torch.eye(3)[:, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.layer(x).mean((2, 3)))


WEIGHT = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.2, -1.0]], dtype=torch.float64)
IMAGES = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def net() -> nn.Module:
    return Pooled(WEIGHT).double()


def weighted(weights: Tensor) -> Tensor:
    """sum_k w_k A_k for w (3,) or (N, 3)."""
    return (weights.expand(3, 3)[:, :, None, None] * IMAGES).sum(1)


def test_gradcam_plus_plus(net: nn.Module) -> None:
    weights = WEIGHT[0].clamp_min(0) / (2 + WEIGHT[0] * IMAGES.mean((2, 3)))
    torch.testing.assert_close(GradCAMPlusPlus(layer="layer").raw(net, IMAGES, 0), weighted(weights))
    slope = WEIGHT[0][None, :, None, None].expand_as(IMAGES) / 16
    below = 2 * slope**2 + IMAGES.sum((2, 3), keepdim=True) * slope**3 + 1e-6
    weights = (slope**2 / below * slope.clamp_min(0)).sum((2, 3))
    torch.testing.assert_close(GradCAMPlusPlus(layer="layer", guard=1e-6).raw(net, IMAGES, 0), weighted(weights))


def test_gradcam_plus_plus_of_signed_activations_is_finite() -> None:
    activation, slope = torch.tensor([[[[-4.0, 1.0]]]]), torch.tensor([[[[1.0, 2 / 3]]]])  # 2 + S g: -1 and 0
    assert torch.equal(GradCAMPlusPlus().weigh(activation, slope), torch.zeros(1, 1, 2))


def test_layercam_and_xgradcam(net: nn.Module) -> None:
    torch.testing.assert_close(LayerCAM(layer="layer").raw(net, IMAGES, 0), weighted(WEIGHT[0].clamp_min(0) / 16))
    torch.testing.assert_close(
        XGradCAM(layer="layer").raw(net, IMAGES, 0), GradCAM(layer="layer").raw(net, IMAGES, 0), atol=1e-7, rtol=1e-6
    )


def test_xgradcam_sums_to_hirescam_behind_a_relu(trained_net: nn.Module) -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(720, 4)
    ).double()  # fmt: skip
    images = colour_set(3).pixels.double()
    sums = [explainer(layer="1").raw(net, images, 1).sum((1, 2)) for explainer in (XGradCAM, HiResCAM)]
    assert sums[1].abs().min() > 1e-4
    torch.testing.assert_close(*sums, atol=1e-7, rtol=1e-5)
    layer, hires = (explainer(layer="1").raw(net, images, 1) for explainer in (LayerCAM, HiResCAM))
    assert (layer >= hires.clamp_min(0) - 1e-12).all() and (layer > hires).any()


def test_eigencam_of_rank_one_is_the_pattern_with_its_sign() -> None:
    pattern = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for scale in ([1.0, 2.0, 0.5], [3.0, -1.0, 0.2], [-0.2, 1.0, 0.1]):
        c = torch.tensor(scale, dtype=torch.float64)
        maps = EigenCAM().weigh(c[None, :, None, None] * pattern[:, None], torch.zeros(2, 3, 5, 5).double())
        torch.testing.assert_close(maps, c.norm() * (pattern - pattern.mean((1, 2), keepdim=True)))


def test_eigencam_does_not_ask_for_the_class(trained_net: nn.Module) -> None:
    images = colour_set(3).pixels
    maps = EigenCAM()(trained_net, images, 0)
    assert torch.equal(maps, EigenCAM()(trained_net, images, 3)) and maps.std() > 0


def test_scorecam(net: nn.Module) -> None:
    low, high = IMAGES.amin((2, 3), keepdim=True), IMAGES.amax((2, 3), keepdim=True)
    masks = (IMAGES - low) / (high - low + 1e-8)
    scores = torch.stack([net(IMAGES * masks[:, k : k + 1])[:, 1] for k in range(3)], 1)
    torch.testing.assert_close(
        ScoreCAM(layer="layer").raw(net, IMAGES, 1), weighted(scores.softmax(1)), atol=1e-6, rtol=1e-6
    )


def test_scorecam_where_no_channel_matters_is_the_mean_and_a_constant_channel_does_no_harm(net: nn.Module) -> None:
    net.linear.weight.data.zero_()
    torch.testing.assert_close(ScoreCAM(layer="layer").raw(net, IMAGES, 1), IMAGES.mean(1), atol=1e-6, rtol=1e-6)
    grey = torch.full((1, 3, 4, 4), 0.5)
    assert bool(ScoreCAM(layer="layer").raw(net, grey, 1).isfinite().all())


def test_ablationcam(net: nn.Module) -> None:
    score, parts = net(IMAGES)[:, 0], WEIGHT[0] * IMAGES.mean((2, 3))
    for i in range(3):
        weights = parts[i] / (score[i] if score[i] > 1e-6 else 1)
        mine = AblationCAM(layer="layer").raw(net, IMAGES[i : i + 1], 0)[0]
        torch.testing.assert_close(mine, weighted(weights)[i])
    assert (score < 0).any()  # where the score is negative, the weights keep their signs
    likely = IMAGES[:1] * torch.tensor([1.0, 0.1, 1.0])[None, :, None, None]
    parts = WEIGHT[0] * likely.mean((2, 3))
    weights = parts / parts.sum()
    assert parts.sum() > 0.1
    torch.testing.assert_close(
        AblationCAM(layer="layer").raw(net, likely, 0), (weights[:, :, None, None] * likely).sum(1)
    )


def test_ablations_start_at_the_layer(trained_net: nn.Module) -> None:
    net, seen = copy.deepcopy(trained_net), {"conv1": 0, "linear": 0}
    for name in seen:
        def count(_module: nn.Module, given: Any, _value: Any, name: str = name) -> None:
            seen[name] += len(given[0])

        net.get_submodule(name).register_forward_hook(count)
    images = colour_set(1).pixels
    AblationCAM(layer="conv2").raw(net, images, 0)
    seen.update(conv1=0, linear=0)
    AblationCAM(layer="conv2").raw(net, images, 0)
    assert seen == {"conv1": 3, "linear": 1 + 1 + 16}  # is it a class, the record, 16 channels


class Around(nn.Module):
    """A branch around the layer, added, or side by side."""

    def __init__(self, cat: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.layer, self.cat = nn.Conv2d(3, 6, 3, 1, 1), nn.Conv2d(6, 6, 3, 1, 1), cat
        self.linear = nn.Linear(12 if cat else 6, 4)

    def forward(self, x: Tensor) -> Tensor:
        before = self.stem(x)
        after = self.layer(before)
        both = torch.cat((before, after), 1) if self.cat else before + after
        return self.linear(F.relu(both).flatten(2).mean(2))


@pytest.mark.parametrize("cat", [False, True])
def test_a_branch_around_the_layer(cat: bool) -> None:
    net, image = Around(cat), colour_set(1).pixels
    value = net.layer(net.stem(image)).detach()
    gone = value.expand(6, -1, -1, -1) * (1 - torch.eye(6))[:, :, None, None]
    both = torch.cat((net.stem(image).expand(6, -1, -1, -1), gone), 1) if cat else net.stem(image) + gone
    wanted = net.linear(F.relu(both).flatten(2).mean(2))
    found = from_layer(net, place(net, image, "layer"), image, 1, gone)
    torch.testing.assert_close(found, wanted)
    assert wanted.std(0).min() > 0


def test_what_follows_a_layer_must_answer_picture_by_picture() -> None:
    class Mixes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(self.conv(x).mean((0, 2, 3)))[None]

    with pytest.raises(ValueError, match="does not answer picture by picture; choose another layer"):
        AblationCAM()(Mixes(), colour_set(1).pixels, 0)
