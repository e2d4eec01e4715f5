"""Explanation consistency E: similarities, foreground, the attacked background, and leaving the model alone."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from torch import Tensor, nn

from core.attacks import FGSM, PGD
from core.data.imageset import ImageSet
from core.explain import Consistency, GradCAM, HiResCAM
from core.explain.consistency.foreground import grown, heatmaps, ranked
from core.explain.consistency.similarities import SIMILARITIES, similarity
from core.runs import finish
from tests.core.defenses.test_contract import assert_same, snapshot


def maps_of(n: int = 6, seed: int = 0, size: int = 12) -> Tensor:
    return torch.rand(n, size, size, generator=torch.Generator().manual_seed(seed))


class TestSimilarities:
    @pytest.mark.parametrize("name", SIMILARITIES)
    def test_identical_maps_are_exactly_alike(self, name: str) -> None:
        assert torch.equal(similarity(name, maps_of(), maps_of()), torch.ones(6, dtype=torch.float64))

    @pytest.mark.parametrize("name", SIMILARITIES)
    def test_maps_of_nothing(self, name: str) -> None:
        nothing, some = torch.zeros(6, 12, 12), maps_of()
        assert similarity(name, nothing, nothing).tolist() == [1] * 6
        assert similarity(name, nothing, some).tolist() == similarity(name, some, nothing).tolist() == [0] * 6

    @pytest.mark.parametrize("name", SIMILARITIES)
    def test_symmetric_and_in_the_unit_interval(self, name: str) -> None:
        first, second = maps_of(), maps_of(seed=1)
        there, back = similarity(name, first, second), similarity(name, second, first)
        torch.testing.assert_close(there, back, rtol=0, atol=1e-12)
        assert ((there >= 0) & (there < 0.99)).all()

    @pytest.mark.parametrize("name", ["cosine", "soft IoU"])
    def test_disjoint_maps_are_not_alike(self, name: str) -> None:
        first, second = maps_of(), maps_of()
        first[:, :6], second[:, 6:] = 0, 0
        assert similarity(name, first, second).tolist() == [0] * 6

    def test_the_cosine_in_closed_form_and_under_scaling(self) -> None:
        first = torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])
        second = torch.tensor([[[4.0, 3.0], [0.0, 0.0]]])
        assert similarity("cosine", first, second).item() == pytest.approx(24 / 25)
        assert similarity("cosine", first, 7 * second).item() == pytest.approx(24 / 25)
        assert similarity("soft IoU", first, second).item() == pytest.approx(6 / 8)

    def test_spearman_is_that_of_scipy(self) -> None:
        from scipy.stats import spearmanr

        first, second = maps_of().round(decimals=1), (maps_of() + maps_of(seed=2)).round(decimals=1)
        expected = [spearmanr(a.flatten(), b.flatten()).statistic for a, b in zip(first, second, strict=True)]
        torch.testing.assert_close(2 * similarity("Spearman", first, second) - 1, torch.tensor(expected))
        turned = similarity("Spearman", first, 1 - first)
        torch.testing.assert_close(turned, torch.zeros(6, dtype=torch.float64), rtol=0, atol=1e-12)

    def test_ssim_falls_with_noise(self) -> None:
        some = maps_of()
        near, far = (similarity("SSIM", some, (some + s * maps_of(seed=3)).clamp(0, 1)) for s in (0.1, 1.0))
        assert (near > far).all()


class TestForeground:
    def test_heatmaps(self) -> None:
        raw = torch.tensor([[[-1.0, 2.0], [4.0, 0.0]], [[-1.0, -2.0], [-1.0, -1.0]]])
        assert heatmaps(raw, (2, 2)).tolist() == [[[0, 0.5], [1, 0]], [[0, 0], [0, 0]]]
        lifted = torch.tensor([[[1.0, 2.0], [3.0, 1.0]]])
        assert heatmaps(lifted, (2, 2), "minmax").tolist() == [[[0, 0.5], [1, 0]]]

    @pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.3, 43), (1.0, 144)])
    def test_by_rank_the_share_is_exact(self, share: float, count: int) -> None:
        for maps in (maps_of(), torch.zeros(6, 12, 12)):
            mask = ranked(maps, share)
            assert mask.sum((1, 2)).tolist() == [count] * 6
            assert share in (0, 1) or (maps[mask].min() >= maps[~mask].min())
        assert ranked(torch.zeros(1, 12, 12), 0.25).flatten()[:36].all()  # of equal ones the first

    def test_by_threshold_an_empty_map_has_no_foreground(self) -> None:
        method = Consistency(foreground="threshold", threshold=0.5)
        maps = torch.tensor([[[0.0, 0.5], [1.0, 0.2]], [[0, 0], [0, 0]]])
        assert method.chosen(maps).tolist() == [[[False, True], [True, False]], [[False] * 2] * 2]

    def test_growing_and_shrinking(self) -> None:
        mask = torch.zeros(1, 9, 9, dtype=torch.bool)
        mask[0, 4, 4] = True
        wide = grown(mask, 2)
        assert wide.sum() == 25 and wide[0, 2:7, 2:7].all()
        assert torch.equal(grown(wide, -2), mask)
        everything = torch.ones(1, 9, 9, dtype=torch.bool)
        assert torch.equal(grown(everything, -3), everything)


def pair_of(method: Consistency, model: nn.Module, data: ImageSet, seed: int = 0):
    return finish(method.pair(model, data.pixels, data.labels, seed=seed))


class TestPair:
    def test_the_attack_keeps_to_the_background_and_the_ball(self, trained_net: nn.Module, colours: ImageSet) -> None:
        pair = pair_of(Consistency(), trained_net, colours)
        change = (pair.images - colours.pixels).abs()
        assert change.max() <= 8 / 255 + 1e-6 and change.amax((1, 2, 3)).min() > 1 / 255
        assert (change.amax(1)[pair.foreground] == 0).all()
        assert ((pair.images >= 0) & (pair.images <= 1)).all()
        assert pair.foreground.float().mean().item() == pytest.approx(round(0.3 * 256) / 256)
        assert ((pair.consistency >= 0) & (pair.consistency <= 1)).all() and (pair.consistency < 1).any()

    def test_no_attack_is_full_consistency(self, trained_net: nn.Module, colours: ImageSet) -> None:
        for name in SIMILARITIES:
            pair = pair_of(Consistency(attack=PGD(eps=0.0), similarity=name), trained_net, colours)
            assert torch.equal(pair.images, colours.pixels)
            assert torch.equal(pair.consistency, torch.ones(64, dtype=torch.float64))

    def test_a_changed_answer_is_no_consistency(self, trained_net: nn.Module, colours: ImageSet) -> None:
        strong = Consistency(attack=PGD(eps=0.5, alpha=0.2, steps=10, stop_early=False), share=0.05)
        pair = pair_of(strong, trained_net, colours)
        assert not pair.same_answer.all() and (pair.similarity > 0).any()
        assert (pair.consistency[~pair.same_answer] == 0).all()
        torch.testing.assert_close(pair.consistency[pair.same_answer], pair.similarity[pair.same_answer])
        maps_alone = pair_of(dataclasses.replace(strong, answer=False), trained_net, colours)
        torch.testing.assert_close(maps_alone.consistency, pair.similarity)

    def test_the_heatmap_is_that_of_the_true_class(self, trained_net: nn.Module, colours: ImageSet) -> None:
        wrong = dataclasses.replace(colours, labels=(colours.labels + 1) % 4)
        right, other = (pair_of(Consistency(), trained_net, data).before for data in (colours, wrong))
        expected = heatmaps(GradCAM().raw(trained_net, colours.pixels, colours.labels), (16, 16))
        assert torch.equal(right, expected) and not torch.allclose(other, expected)

    def test_empty_maps_are_told(self, colours: ImageSet) -> None:
        class Nothing(nn.Module):
            """A map that speaks against every class, so that the ReLU leaves nothing of it."""

            def __init__(self) -> None:
                super().__init__()
                self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()

            def forward(self, x: Tensor) -> Tensor:
                return -self.relu(self.conv(x)).mean((2, 3))

        pair = pair_of(Consistency(), Nothing().eval(), colours)
        assert pair.empty.all() and (pair.before == 0).all()

    def test_the_explainer_counts(self, trained_net: nn.Module, colours: ImageSet) -> None:
        layers = GradCAM(layer="bn1"), HiResCAM(layer="bn1")
        first, second = (pair_of(Consistency(explainer=each), trained_net, colours) for each in layers)
        assert not torch.equal(first.consistency, second.consistency)


class TestSets:
    def test_it_is_that_of_the_pairs_in_batches(self, trained_net: nn.Module, colours: ImageSet, monkeypatch) -> None:
        from core.explain.consistency import consistency

        monkeypatch.setattr(consistency, "SLICE", 20)
        moments, run = [], Consistency().run(trained_net, colours, seed=3)
        found = None
        try:
            while True:
                moments.append(next(run))
                assert torch.is_grad_enabled()
        except StopIteration as end:
            found = end.value
        assert {moment.stage for moment in moments} == {"explain"}
        assert all(1 <= moment.step <= moment.total == 64 for moment in moments)
        first = pair_of(Consistency(), trained_net, colours[:20], seed=3)
        torch.testing.assert_close(found.consistency[:20], first.consistency)
        assert found.consistency.shape == found.empty.shape == (64,)

    def test_same_seed_same_result_and_the_model_is_left_alone(self, trained_net: nn.Module, colours: ImageSet) -> None:
        model = copy.deepcopy(trained_net).train()
        before, state = snapshot(model), torch.get_rng_state()
        first, again = (finish(Consistency().run(model, colours, seed=1)) for _ in range(2))
        assert torch.equal(first.consistency, again.consistency)
        assert not torch.equal(first.consistency, finish(Consistency().run(model, colours, seed=2)).consistency)
        assert_same(before, snapshot(model))
        assert model.training and torch.equal(torch.get_rng_state(), state)


class TestBadInput:
    def test_a_network_without_a_map(self, colours: ImageSet) -> None:
        flat = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
        with pytest.raises(ValueError, match=r"^The model has no layer with a map of more than one position.*\.$"):
            finish(Consistency().run(flat, colours))

    def test_knobs(self) -> None:
        with pytest.raises(ValueError, match=r"Consistency.attack = FGSM\(.* keeps to no mask; give PGD"):
            Consistency(attack=FGSM())
        with pytest.raises(ValueError, match=r"Consistency.explainer = PGD\(.* has no map of a layer; give GradCAM"):
            Consistency(explainer=PGD())
        with pytest.raises(ValueError, match=r"Consistency.share = 1.5 is out of range"):
            Consistency(share=1.5)
