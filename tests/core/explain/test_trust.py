"""Metrics of trust: curves and scores by hand, and a model that randomisation leaves bit for bit as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from core.explain import RISE, GradCAM, Saliency, TrustTests
from core.explain.trust.controls import CONTROLS, CentreMap, EdgeMap, RandomMap
from core.explain.trust.curves import Deletion, Insertion
from core.explain.trust.randomisation import Randomisation, damages
from core.explain.trust.sensitivity import MaxSensitivity
from core.explain.trust.trust_tests import MEASURES, randomised
from core.metrics.correlation import rank_correlations
from core.metrics.localisation import iou, pointing_game
from core.runs import finish
from tests.conftest import colour_set


class ShareLeft(nn.Module):
    """p_0 = the share of the white pixels that is left."""

    def __init__(self, white: int) -> None:
        super().__init__()
        self.white = white

    def forward(self, x: Tensor) -> Tensor:
        share = (x[:, 0] > 0.5).float().sum((1, 2)) / self.white
        return torch.stack((share.clamp_min(1e-12).log(), (1 - share).clamp_min(1e-12).log()), 1)


def two_valued(white: int) -> tuple[Tensor, Tensor]:
    image = torch.zeros(64)
    image[torch.randperm(64, generator=torch.Generator().manual_seed(0))[:white]] = 1
    return image.view(1, 1, 8, 8).expand(1, 3, 8, 8).contiguous(), image.view(1, 8, 8)


class TestCurves:
    def test_deletion_of_a_two_valued_picture(self) -> None:
        image, maps = two_valued(16)
        found = finish(Deletion(points=32).run(ShareLeft(16), image, maps, 0))
        assert found.values[0, 0] == pytest.approx(1) and found.values[0, 8:].max() < 1e-6
        assert found.area[0] == pytest.approx(16 / (2 * 64), abs=1e-6)
        worst = finish(Deletion(points=32).run(ShareLeft(16), image, -maps, 0)).area[0]
        assert worst == pytest.approx(1 - 16 / (2 * 64), abs=1e-6)

    def test_insertion_of_a_two_valued_picture(self) -> None:
        class FromBlack(Insertion):
            def ends(self, images: Tensor) -> tuple[Tensor, Tensor]:
                return torch.zeros_like(images), images

        image, maps = two_valued(16)
        found = finish(FromBlack(points=32).run(ShareLeft(16), image, maps, 0))
        assert found.area[0] == pytest.approx(1 - 16 / (2 * 64), abs=1e-6)

    @pytest.mark.parametrize("method", [Deletion(points=8), Insertion(points=8)])
    def test_only_the_order_of_the_map_counts(self, method, trained_net) -> None:
        data = colour_set(3)
        maps = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
        found = finish(method.run(trained_net, data.pixels, maps, data.labels))
        again = finish(method.run(trained_net, data.pixels, 3 * maps - 1, data.labels))
        assert found.values.shape == (3, 9) and torch.equal(found.values, again.values)
        whole = trained_net(data.pixels).softmax(1).gather(1, data.labels[:, None])[:, 0]
        at = found.values[:, 0 if isinstance(method, Deletion) else -1]
        torch.testing.assert_close(at.float(), whole, atol=1e-5, rtol=1e-5)

    def test_equal_pixels_go_in_order_and_shares_are_exact(self) -> None:
        image, _ = two_valued(16)
        found = finish(Deletion(points=5).run(ShareLeft(16), image, torch.zeros(1, 8, 8), 0))
        assert found.shares.tolist() == [0, 13 / 64, 26 / 64, 38 / 64, 51 / 64, 1]
        left = [float(image[0, 0].flatten()[round(64 * i / 5) :].sum()) / 16 for i in range(6)]
        assert found.values[0].tolist() == pytest.approx(left, abs=1e-6)

    def test_a_map_of_another_size_is_refused(self, trained_net) -> None:
        with pytest.raises(ValueError, match="must have its picture's size"):
            finish(Deletion().run(trained_net, colour_set(2).pixels, torch.rand(2, 8, 8), 0))


def test_pointing_game_and_iou_by_hand() -> None:
    masks = torch.zeros(4, 4, 4, dtype=torch.bool)
    masks[:, :2, :2] = True
    maps = torch.stack((masks[0].float(), 1 - masks[0].float(), torch.ones(4, 4), torch.zeros(4, 4)))
    maps[1, 0, 0] = 0.6
    found = pointing_game(maps, masks)
    assert found[:2].tolist() == [1, 0] and found[2:].isnan().all()
    overlap = iou(maps, masks)
    assert overlap[:3].tolist() == pytest.approx([1, 1 / 16, 4 / 16]) and overlap[3].isnan()
    assert iou(maps[1:2], masks[:1], threshold=0.7).item() == 0
    with pytest.raises(ValueError, match="The pointing game needs a bool mask"):
        pointing_game(maps, masks.float())


def test_rank_correlations() -> None:
    one = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = rank_correlations(one, torch.stack((one[0].exp(), -one[1], torch.ones(4, 4))))
    assert found[:2].tolist() == pytest.approx([1, -1]) and found[2].isnan()


class TestMaxSensitivity:
    def test_the_gradient_of_a_linear_model_does_not_move(self) -> None:
        net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
        images = torch.rand(2, 3, 8, 8)
        assert finish(MaxSensitivity().run(net, images, 1, Saliency())).abs().max() == 0

    def test_more_draws_never_lower_it_and_a_map_of_zeros_is_undefined(self, trained_net) -> None:
        data = colour_set(3)
        few, many = (
            finish(MaxSensitivity(draws=n).run(trained_net, data.pixels, data.labels, Saliency(), seed=1))
            for n in (2, 6)
        )
        assert (many >= few).all() and (few > 0).all()
        nothing = MaxSensitivity(draws=2).run(trained_net, data.pixels, 0, lambda net, x, y: torch.zeros(3, 16, 16))
        zero = finish(nothing)
        assert zero.isnan().all()

    def test_maps_that_are_known_are_not_made_again(self, trained_net) -> None:
        data, calls = colour_set(3), []

        def saliency(net, images, classes):
            calls.append(len(images))
            return Saliency()(net, images, classes)

        method, maps = MaxSensitivity(draws=2), Saliency()(trained_net, data.pixels, data.labels)
        found = [
            finish(method.run(trained_net, data.pixels, data.labels, saliency, maps=known)) for known in (None, maps)
        ]
        assert torch.equal(*found) and calls == [3] * 5


class TestRandomisation:
    def test_the_model_is_left_bit_for_bit_and_zero_layers_change_nothing(self, trained_net) -> None:
        net, data = copy.deepcopy(trained_net), colour_set(3)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        random = torch.get_rng_state()
        found = finish(Randomisation().run(net, data.pixels, data.labels))
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
        assert torch.equal(torch.get_rng_state(), random)
        assert found.layers == ("linear", "bn2", "conv2", "bn1", "conv1")
        assert found.maps.shape == (6, 3, 16, 16) and found.similarity.shape == (6, 3)
        assert found.similarity[0].tolist() == pytest.approx([1, 1, 1])
        torch.testing.assert_close(found.maps[0], GradCAM()(net, data.pixels, data.labels))
        assert found.similarity[-1].abs().max() < 0.99

    def test_layers_are_random_from_the_top_one_more_each_time(self, trained_net) -> None:
        changed = []
        for name, twin in damages(trained_net, seed=3):
            other = [
                layer for layer, module in twin.named_children()
                if any(not torch.equal(value, trained_net.state_dict()[f"{layer}.{key}"])
                       for key, value in module.state_dict().items())
            ]  # fmt: skip
            changed.append((name, other))
        assert changed[0] == ("linear", ["linear"]) and changed[2][1] == ["conv2", "bn2", "linear"]
        assert len(changed[-1][1]) == 5

    def test_an_edge_detector_survives_everything(self, trained_net) -> None:
        class Edges(GradCAM):
            """Looks at the picture and never at the model."""

            def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
                return (images - images.roll(1, 3)).abs().sum(1)

        found = finish(Randomisation(explainer=Edges()).run(trained_net, colour_set(2).pixels, 0))
        torch.testing.assert_close(found.similarity, torch.ones(6, 2, dtype=torch.float64))


class TestTrustTests:
    def test_every_measure_is_that_of_its_own_test(self, trained_net) -> None:
        data, masks = colour_set(3), torch.zeros(3, 16, 16, dtype=torch.bool)
        masks[:, 4:12, 4:12] = True
        method = TrustTests(Saliency(), points=8, draws=2)
        found = finish(method.run(trained_net, data.pixels, data.labels, masks=masks, seed=3))
        maps = Saliency()(trained_net, data.pixels, data.labels)
        deletion = finish(Deletion(points=8).run(trained_net, data.pixels, maps, data.labels)).area
        sensitivity = finish(
            MaxSensitivity(draws=2).run(trained_net, data.pixels, data.labels, Saliency(), seed=3)
        )  # fmt: skip
        cascade = finish(method.cascade.run(trained_net, data.pixels, data.labels, seed=3))
        torch.testing.assert_close(found.scores["deletion"], deletion)
        torch.testing.assert_close(found.scores["sensitivity"], sensitivity)
        torch.testing.assert_close(found.scores["randomised"], cascade.similarity[-1])
        torch.testing.assert_close(found.scores["iou"], iou(maps, masks))
        assert tuple(found.scores) == MEASURES

    def test_without_masks_localisation_is_undefined_and_controls_see_no_network(self, trained_net) -> None:
        data = colour_set(3)
        for cls in CONTROLS:
            found = finish(TrustTests(points=4, draws=1).run(trained_net, data.pixels, 0, explainer=cls()))
            torch.testing.assert_close(found.scores["randomised"], torch.ones(3, dtype=torch.float64))
            assert found.scores["energy"].isnan().all()

    def test_a_slow_method_is_tested_step_by_step(self, trained_net) -> None:
        data = colour_set(1)
        moments = list(TrustTests(RISE(masks=100), points=4, draws=1).run(trained_net, data.pixels, 0))
        steps = [(moment.step, moment.total) for moment in moments if moment.stage == "sensitivity"]
        assert steps == [(50, 100), (100, 100)]

    def test_a_model_without_weights_cannot_be_randomised(self) -> None:
        net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        with pytest.raises(ValueError, match="no layer that can draw its weights anew"):
            randomised(net)


def test_controls_by_hand() -> None:
    images = torch.zeros(1, 3, 4, 4)
    images[:, 0, 2:] = 1
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    edges = EdgeMap()(net, images, 0)[0]
    assert edges[2].tolist() == [1] * 4 and edges.sum() == 4
    centre = CentreMap()(net, torch.zeros(2, 3, 4, 4), 0)
    assert centre[0].argmax() in (5, 6, 9, 10) and centre[0, 1, 1] == centre[0, 2, 2] > centre[0, 0, 0]
    assert torch.equal(centre[0], centre[1])
    noise = RandomMap(seed=1)(net, images.expand(2, -1, -1, -1), 0)
    assert not torch.equal(noise[0], noise[1])
    assert torch.equal(noise, RandomMap(seed=1)(net, images.expand(2, -1, -1, -1), 0))
