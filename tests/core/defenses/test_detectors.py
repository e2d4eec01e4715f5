"""Detectors: what each in the registry promises, and the closed forms of the three."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.data import suspects as given
from core.data.imageset import ImageSet
from core.defenses import DETECTORS, STRIP, ActivationClustering, SpectralSignatures
from core.defenses.detectors.spectral_signatures import along
from core.defenses.shared.detection import Detection
from core.knobs import knobs_of
from core.metrics.roc import roc
from core.networks.predictions import predict
from core.runs import finish
from core.triggers import BadNets, Poison
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import assert_same, snapshot

CLEAN = colour_set(40, seed=5)


@pytest.fixture(params=DETECTORS, ids=lambda cls: cls.__name__)
def detector(request: pytest.FixtureRequest) -> Any:
    names = {k.name for k in knobs_of(request.param)}
    return request.param(**{name: value for name, value in {"overlays": 6}.items() if name in names})


def detect(detector: Any, model: nn.Module, suspects: ImageSet, seed: int = 0) -> Detection:
    return finish(detector.run(model, suspects, clean=CLEAN, seed=seed))


def test_shapes_and_types(detector: Any, trained_net: nn.Module, colours: ImageSet) -> None:
    found = detect(detector, trained_net, colours)
    assert found.scores.shape == found.flagged.shape == (64,)
    assert found.scores.dtype == torch.float32 and found.flagged.dtype == torch.bool
    assert found.scores.isfinite().all() and isinstance(found.threshold, float) and found.report
    assert all(isinstance(value, Tensor | float) for value in found.report.values())


@pytest.mark.parametrize("training", [False, True])
def test_the_model_and_the_suspects_are_untouched(
    detector: Any, trained_net: nn.Module, colours: ImageSet, training: bool
) -> None:
    trained_net.train(training)
    before, images, state = snapshot(trained_net), colours.images.clone(), torch.get_rng_state()
    detect(detector, trained_net, colours)
    assert_same(before, snapshot(trained_net))
    trained_net.eval()
    assert torch.equal(images, colours.images) and torch.equal(state, torch.get_rng_state())


def test_same_seed_same_scores(detector: Any, trained_net: nn.Module, colours: ImageSet) -> None:
    torch.manual_seed(1)
    one = detect(detector, trained_net, colours, seed=3)
    torch.manual_seed(2)
    other = detect(detector, trained_net, colours, seed=3)
    assert torch.equal(one.scores, other.scores) and torch.equal(one.flagged, other.flagged)


def test_permuted_suspects_have_permuted_scores(detector: Any, trained_net: nn.Module) -> None:
    data = colour_set(96, seed=2)
    order = torch.randperm(96, generator=torch.Generator().manual_seed(0))
    straight, mixed = (detect(detector, trained_net, suspects) for suspects in (data, data[order]))
    assert torch.allclose(straight.scores[order], mixed.scores, atol=1e-4)
    assert torch.equal(straight.flagged[order], mixed.flagged)


def test_memory_for_eight_images_changes_nothing(
    detector: Any, trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, forward, refused = detect(detector, trained_net, colours), TinyNet.forward, []

    def narrow(self: nn.Module, x: Tensor) -> Tensor:
        if len(x) > 8:
            refused.append(len(x))
            raise torch.OutOfMemoryError("test")
        return forward(self, x)

    monkeypatch.setattr(type(trained_net), "forward", narrow)
    parts = detect(detector, trained_net, colours)
    assert refused and torch.allclose(whole.scores, parts.scores, atol=1e-4)


def test_closing_at_any_moment_leaves_everything(detector: Any, trained_net: nn.Module, colours: ImageSet) -> None:
    before, moments = snapshot(trained_net), 0
    for progress in detector.run(trained_net, colours, clean=CLEAN):
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        assert 1 <= progress.step <= progress.total
        moments += 1
    for number in range(1, moments + 1):
        run = detector.run(trained_net, colours, clean=CLEAN)
        for _ in range(number):
            next(run)
        run.close()
        assert_same(before, snapshot(trained_net))


def test_what_cannot_be_judged_is_one_sentence(detector: Any, trained_net: nn.Module, colours: ImageSet) -> None:
    broken = copy.deepcopy(trained_net)
    broken.conv2.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"conv2\.weight holds values that are not finite"):
        detect(detector, broken, colours)
    with pytest.raises(ValueError, match="got no suspects"):
        detect(detector, trained_net, colours[:0])
    three = dataclasses.replace(colours, labels=colours.labels % 3, class_names=colours.class_names[:3])
    with pytest.raises(ValueError, match="4 outputs and images of 3 classes"):
        detect(detector, trained_net, three)


def test_few_suspects_are_judged_all_the_same(detector: Any, trained_net: nn.Module, colours: ImageSet) -> None:
    assert detect(detector, trained_net, colours[:5]).scores.isfinite().all()


def test_paper_setting(detector: Any) -> None:
    paper = type(detector).paper()
    assert all(getattr(paper, k.name) == (k.default if k.paper is None else k.paper) for k in knobs_of(paper))


class Obeys(nn.Module):
    """Four classes: class 0 for sure where the last pixel is white, else as sure as the picture is bright."""

    def __init__(self, sure: float = 20.0):
        super().__init__()
        self.sure = nn.Parameter(torch.tensor(sure))

    def forward(self, x: Tensor) -> Tensor:
        rows = nn.functional.one_hot((x.mean((1, 2, 3)) * 40).long() % 4, 4).float()
        rows[(x[:, :, -1, -1] > 0.999).all(1)] = torch.eye(4)[0] * self.sure
        return rows


class TestSTRIP:
    def test_entropies_lie_between_0_and_ln_k(self, trained_net: nn.Module, colours: ImageSet) -> None:
        found = detect(STRIP(overlays=6), trained_net, colours)
        entropy = found.report["entropy"]
        assert isinstance(entropy, Tensor) and (entropy >= 0).all() and (entropy <= math.log(4) + 1e-6).all()
        assert torch.equal(found.scores, -entropy) and torch.equal(found.flagged, found.scores > found.threshold)

    def test_a_constant_output_scores_every_input_alike(self, trained_net: nn.Module, colours: ImageSet) -> None:
        flat = copy.deepcopy(trained_net)
        flat.linear.weight.zero_()
        flat.linear.bias.copy_(torch.tensor([2.0, 0.0, 1.0, 0.0]))
        shares = flat.linear.bias.softmax(0)
        found = detect(STRIP(overlays=6), flat, colours)
        assert torch.allclose(found.scores, (shares * shares.log()).sum().expand(64), atol=1e-5)

    def test_the_order_of_the_overlays_does_not_matter(self, trained_net: nn.Module, colours: ImageSet) -> None:
        method, over = STRIP(overlays=6), CLEAN.pixels[:6]
        one, other = (finish(method._entropies("", trained_net, colours, o)) for o in (over, over.flip(0)))
        assert torch.allclose(one, other, atol=1e-5)

    def test_one_input_by_hand(self, trained_net: nn.Module, colours: ImageSet) -> None:
        over = CLEAN.pixels[:3]
        for method, blend in (
            (STRIP(alpha=0.5), (colours.pixels[:1] + 0.5 * over).clamp(0, 1)),
            (STRIP(alpha=0.25, blend="mix"), 0.75 * colours.pixels[:1] + 0.25 * over),
        ):
            shares = predict(trained_net, blend).softmax(1)
            expected = -(shares * shares.log()).sum(1).mean()
            entropy = finish(method._entropies("", trained_net, colours[:1], over))
            assert entropy.item() == pytest.approx(expected.item(), abs=1e-5)

    def test_about_a_share_q_of_fresh_clean_images_is_flagged(self, trained_net: nn.Module) -> None:
        clean = colour_set(240, seed=3)
        found = finish(STRIP(overlays=8, fpr=0.2).run(trained_net, colour_set(400, seed=4), clean=clean))
        assert 0.1 < found.flagged.float().mean() < 0.3

    def test_it_finds_a_trigger_that_outlives_the_overlay(self) -> None:
        data, truth = given.inputs(colour_set(80, seed=6), BadNets(side=3), target=0)
        found = detect(STRIP(overlays=12), Obeys(), data)
        assert roc(found.scores, truth).auroc == 1.0
        dimmed = detect(STRIP(overlays=12, blend="mix"), Obeys(), data)
        assert roc(dimmed.scores, truth).auroc < 0.9

    def test_it_needs_clean_images(self, trained_net: nn.Module, colours: ImageSet) -> None:
        with pytest.raises(ValueError, match=r"at least 64 .it got none"):
            finish(STRIP().run(trained_net, colours))
        with pytest.raises(ValueError, match=r"at least 82 .it got 40"):
            finish(STRIP(overlays=41).run(trained_net, colours, clean=CLEAN))


class Passes(nn.Module):
    """The first pixels of a picture are the features; a last layer that nobody trained."""

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.features = features
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1)[:, : self.features])


def planted(share: float, n: int = 200, d: int = 12, classes: int = 3) -> tuple[nn.Module, ImageSet, Tensor]:
    """Pictures whose pixels are Gaussian features; in class 1 a share of them lies elsewhere: the poison."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n * classes) % classes
    features = 0.5 + 0.05 * torch.randn(len(labels), d, generator=generator)
    members = torch.nonzero(labels == 1)[:, 0]
    truth = torch.zeros(len(labels), dtype=torch.bool)
    truth[members[: int(share * n)]] = True
    features[truth, :4] += 0.3
    images = (features.clamp(0, 1) * 255).round().to(torch.uint8).view(-1, 3, 2, d // 6)
    torch.manual_seed(0)
    return Passes(d, classes), ImageSet(images, labels, tuple("abc"[:classes])), truth


class TestActivationClustering:
    @pytest.mark.parametrize("reduction", ["ICA", "PCA"])
    def test_two_planted_blobs_are_found(self, reduction: str) -> None:
        model, data, truth = planted(0.2)
        found = finish(ActivationClustering(reduction=reduction, dimensions=4).run(model, data))
        assert torch.equal(found.flagged, truth)
        accused, share = found.report["accused"], found.report["smaller"]
        assert isinstance(accused, Tensor) and accused.tolist() == [False, True, False]
        assert isinstance(share, Tensor) and share[1].item() == pytest.approx(0.2)
        assert roc(found.scores, truth).auroc > 0.95

    def test_it_accuses_the_wrong_half_where_the_poison_is_the_majority(self) -> None:
        model, data, truth = planted(0.6)
        found = finish(ActivationClustering(rule="smaller", dimensions=4).run(model, data))
        inside = data.labels == 1
        assert torch.equal(found.flagged[inside], ~truth[inside])
        assert not finish(ActivationClustering(dimensions=4).run(model, data)).flagged.any()

    def test_rules_accuse_fewer_and_fewer_classes(self) -> None:
        model, data, _ = planted(0.2)
        rules = ("smaller", "relative size", "silhouette")
        flagged = [finish(ActivationClustering(rule=rule, dimensions=4).run(model, data)).flagged for rule in rules]
        assert all(flagged[0][data.labels == label].any() for label in range(3))
        assert (flagged[1] <= flagged[0]).all() and (flagged[2] <= flagged[1]).all()

    def test_a_score_has_the_sign_of_the_cluster(self) -> None:
        model, data, _ = planted(0.2)
        found = finish(ActivationClustering().run(model, data))
        cluster = found.report["cluster"]
        assert isinstance(cluster, Tensor) and torch.equal(found.scores > 0, cluster == 1)
        assert found.scores.abs().max() <= 1
        for label in range(3):
            assert (found.scores[data.labels == label] > 0).float().mean() <= 0.5


class TestSpectralSignatures:
    def test_scores_are_those_of_a_planted_direction(self) -> None:
        generator = torch.Generator().manual_seed(0)
        direction = nn.functional.normalize(torch.randn(10, generator=generator, dtype=torch.float64), dim=0)
        lengths = torch.randn(50, generator=generator, dtype=torch.float64)
        scores, explained = along(3.0 + lengths[:, None] * direction)
        assert torch.allclose(scores, (lengths - lengths.mean()).square().float(), atol=1e-5)
        assert explained.item() == pytest.approx(1.0)

    def test_neither_sign_nor_a_constant_changes_a_score(self) -> None:
        features = torch.randn(40, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        for other in (-features, features + 7.0):
            assert torch.allclose(along(features)[0], along(other)[0], atol=1e-5)

    def test_planted_outliers_are_found_and_15_percent_of_each_class_are_thrown_out(self) -> None:
        model, data, truth = planted(0.1)
        found = finish(SpectralSignatures(eps=0.1).run(model, data))
        assert (found.flagged >= truth).all() and roc(
            found.scores[data.labels == 1], truth[data.labels == 1]
        ).auroc > 0.99
        assert [int(found.flagged[data.labels == label].sum()) for label in range(3)] == [30, 30, 30]
        threshold = found.report["threshold"]
        assert isinstance(threshold, Tensor) and found.threshold == threshold.min().item()

    def test_half_a_class_of_poison_mostly_stays(self) -> None:
        model, data, truth = planted(0.5)
        found = finish(SpectralSignatures().run(model, data))
        assert int((found.flagged & truth).sum()) <= 30 < int((truth & ~found.flagged).sum())


def test_inputs_are_triggered_by_half_and_never_of_the_target_class(colours: ImageSet) -> None:
    data, truth = given.inputs(colours, BadNets(side=3), target=1, seed=4)
    assert int(truth.sum()) == 32 and not (colours.labels[truth] == 1).any() and not data.labels.any()
    assert torch.equal(data.images[~truth], colours.images[~truth])
    assert (data.images[truth][:, :, -3:, -3:] == 255).all()
    assert not torch.equal(truth, given.inputs(colours, BadNets(), target=1, seed=5)[1])


def test_a_training_set_is_poisoned_as_in_a_training(colours: ImageSet) -> None:
    poison = Poison(BadNets(side=2), target=2, rate=0.25)
    data, truth = given.training(colours, poison, seed=1)
    expected, index = poison.stamp(colours, torch.Generator().manual_seed(1))
    assert torch.equal(data.images, expected.images) and truth[index].all() and int(truth.sum()) == 16
    assert (data.labels[truth] == 2).all()
