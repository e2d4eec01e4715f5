"""Metrics in closed form, the signs of DER and RIR first."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from core.data.modes import goal, stamped
from core.metrics import Scores, confusion, der, evaluate, rir, wilson
from core.networks.predictions import predict
from tests.conftest import colour_set


def scores(acc: float, asr: float, ra: float = 0.0) -> Scores:
    return Scores(acc, asr, ra)


class Constant(nn.Module):
    """Always answers one class."""

    def __init__(self, answer: int, classes: int = 4):
        super().__init__()
        self.register_buffer("logits", nn.functional.one_hot(torch.tensor(answer), classes).float())

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.expand(len(x), -1)


class Oracle(nn.Module):
    """Knows the label from the first pixel's red value (label / 10)."""

    def forward(self, x: Tensor) -> Tensor:
        label = (x[:, 0, 0, 0] * 10).round().long()
        return nn.functional.one_hot(label, 4).float()


def labelled() -> object:
    data = colour_set(40)
    data.images[:, 0, 0, 0] = (data.labels * 25.5).round().to(torch.uint8)
    return data


def blind(images: Tensor, targets: Tensor | None = None) -> Tensor:
    """A trigger in the last pixel, which Oracle does not look at."""
    images = images.clone()
    images[..., -1, -1] = 1.0
    return images


def test_der_and_rir_by_hand() -> None:
    assert der(scores(0.9, 1.0), scores(0.9, 1.0)) == 0.5
    assert der(scores(0.9, 1.0), scores(0.9, 0.0)) == 1.0
    assert der(scores(1.0, 1.0), scores(0.0, 1.0)) == 0.0
    assert der(scores(0.9, 1.0), scores(0.8, 0.0)) == pytest.approx(0.95)
    assert der(scores(0.8, 1.0), scores(0.9, 0.5)) == der(scores(0.8, 1.0), scores(0.8, 0.5))
    assert rir(scores(0.9, 1.0, 0.2), scores(0.9, 1.0, 0.2)) == 0.5
    assert rir(scores(0.9, 1.0, 0.0), scores(0.9, 0.0, 1.0)) == 1.0
    assert rir(scores(0.9, 1.0, 0.5), scores(0.9, 0.0, 0.1)) == 0.5


def test_a_constant_predictor_of_the_target_has_asr_one_and_ra_zero() -> None:
    got = evaluate(Constant(2), colour_set(40), trigger=blind, target=2)
    assert (got.acc, got.asr, got.ra, got.n, got.n_asr) == (0.25, 1.0, 0.0, 40, 30)


def test_a_perfect_classifier_blind_to_the_trigger() -> None:
    got = evaluate(Oracle(), labelled(), trigger=blind, target=1)
    assert (got.acc, got.asr, got.ra) == (1.0, 0.0, 1.0)


def test_all_to_all_counts_the_shifted_class() -> None:
    def shift(images: Tensor, targets: Tensor | None = None) -> Tensor:
        images = images.clone()
        images[:, 0, 0, 0] = ((images[:, 0, 0, 0] * 10).round() + 1) % 4 / 10
        return images

    got = evaluate(Oracle(), labelled(), trigger=shift, mode="all-to-all")
    assert (got.asr, got.ra, got.n_asr) == (1.0, 0.0, 40)


def test_any_to_any_averages_over_targets_without_the_own_class() -> None:
    def write(images: Tensor, targets: Tensor) -> Tensor:
        images = images.clone()
        images[:, 0, 0, 0] = torch.where(targets == 3, images[:, 0, 0, 0], targets / 10)
        return images

    got = evaluate(Oracle(), labelled(), trigger=write, mode="any-to-any")
    assert got.by_target == {0: 1.0, 1: 1.0, 2: 1.0, 3: 0.0}
    assert got.asr == 0.75
    assert got.n_asr == 4 * 30


def test_asr_and_ra_never_exceed_one_together(trained_net: nn.Module) -> None:
    got = evaluate(trained_net, colour_set(), trigger=lambda x: 1 - x, target=0)
    assert got.asr + got.ra <= 1


def test_an_unknown_mode_or_a_missing_target_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a target"):
        goal(torch.zeros(2), "all-to-one", None, 4)
    with pytest.raises(ValueError, match="not one of"):
        goal(torch.zeros(2), "one-to-none", 0, 4)


def test_evaluation_leaves_the_model_as_it_was(trained_net: nn.Module) -> None:
    trained_net.train()
    before = {name: value.clone() for name, value in trained_net.state_dict().items()}
    evaluate(trained_net, colour_set())
    assert trained_net.training
    trained_net.eval()
    for name, value in trained_net.state_dict().items():
        assert torch.equal(value, before[name])


def test_batch_size_changes_nothing(trained_net: nn.Module) -> None:
    images = colour_set(30).images
    assert torch.allclose(predict(trained_net, images), predict(trained_net, images, size=7), atol=1e-5)


def test_memory_trouble_halves_the_batch() -> None:
    class Small(Constant):
        def forward(self, x: Tensor) -> Tensor:
            if len(x) > 5:
                raise torch.OutOfMemoryError("too much")
            return super().forward(x)

    assert predict(Small(1), colour_set(23).images).shape == (23, 4)


def test_confusion_rows_are_true_classes() -> None:
    table = confusion(Constant(2), colour_set(40))
    assert table[:, 2].tolist() == [10, 10, 10, 10]
    assert table.sum() == 40


def test_stamped_images_stay_in_range() -> None:
    made = stamped(blind, colour_set(8))
    assert made.dtype == torch.float32
    assert made.min() >= 0 and made.max() <= 1


def test_wilson_interval() -> None:
    low, high = wilson(0.5, 100)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert wilson(0.0, 50)[0] == 0.0
    assert wilson(0.3, 0) == (0.0, 1.0)


def test_no_images_give_nan() -> None:
    assert math.isnan(evaluate(Constant(0), colour_set(4)[:0]).acc)


def test_a_model_that_answers_with_no_numbers_is_refused(trained_net: nn.Module) -> None:
    broken = copy.deepcopy(trained_net)
    for weight in broken.parameters():
        weight.data.fill_(math.nan)
    with pytest.raises(ValueError, match="not finite"):
        evaluate(broken, colour_set(8))
