"""Attacks that look for the smallest change, and the momentum of MI-FGSM, where the answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.attacks import MIFGSM, PGD, CarliniWagner, DeepFool
from core.attacks.inputs.deepfool import BEYOND
from core.runs import finish
from tests.core.attacks.helpers import linear_case

SEARCH = dict(rounds=9, steps=100, lr=0.01, c=0.1, stop_early=False)


@pytest.fixture
def linear() -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A linear network of two classes, images of the first, their labels and margins."""
    model, images, margins = linear_case()
    return model, images[:5], torch.zeros(5, dtype=torch.long), margins[:5]


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2), ("linf", 1)])
@pytest.mark.parametrize("accumulate", [True, False])
def test_deepfool_takes_one_step_of_the_known_length(linear, norm: str, dual: int, accumulate: bool) -> None:
    model, images, labels, margins = linear
    result = finish(DeepFool(norm=norm, overshoot=0.1, accumulate=accumulate).run(model, images, labels))
    length = torch.linalg.vector_norm(model.slope.detach().flatten(), dual)
    assert result.success.all() and (result.steps == 1).all()
    torch.testing.assert_close(result.norms[norm], 1.1 * (margins / length + BEYOND), atol=1e-6, rtol=1e-4)


def test_deepfool_leaves_what_is_wrong_already_and_judges_what_is_not(linear) -> None:
    model, images, labels, _ = linear
    done = finish(DeepFool().run(model, images, 1 - labels))
    assert done.success.all() and torch.equal(done.images, images)
    short = finish(DeepFool(steps=1, overshoot=0.0).run(model, images, labels))
    assert torch.equal(short.success, model(short.images).argmax(1) == 1)


def test_deepfool_reaches_a_target(trained_net: nn.Module, colours) -> None:
    images, labels = colours.pixels[:8], colours.labels[:8]
    target = (labels + 2) % 4
    result = finish(DeepFool().run(trained_net, images, labels, target=target))
    assert result.success.all() and torch.equal(trained_net(result.images).argmax(1), target)
    away = finish(DeepFool().run(trained_net, images, labels))
    assert (away.norms["l2"] <= result.norms["l2"] + 1e-4).float().mean() > 0.8, "leaving is easier than reaching"


def test_the_search_finds_the_smallest_change_of_a_linear_network(linear) -> None:
    model, images, labels, margins = linear
    result = finish(CarliniWagner(**SEARCH).run(model, images, labels))
    smallest = margins / model.slope.detach().norm()
    assert result.success.all() and (result.norms["l2"] >= smallest - 1e-5).all()
    torch.testing.assert_close(result.norms["l2"], smallest, atol=0, rtol=0.02)


def test_the_search_gives_the_image_itself_where_it_fails(linear) -> None:
    model, images, labels, _ = linear
    result = finish(CarliniWagner(rounds=1, steps=2, lr=1e-4, c=1e-4).run(model, images, labels))
    assert not result.success.any() and torch.equal(result.images, images) and (result.norms["l2"] == 0).all()
    extreme = finish(CarliniWagner(**SEARCH).run(model, images.round(), labels))
    assert extreme.images.isfinite().all(), "0 and 1 lie at infinity in tanh space"


def test_confidence_is_a_lead_in_logits(linear) -> None:
    model, images, labels, _ = linear
    result = finish(CarliniWagner(**SEARCH, confidence=0.2).run(model, images, labels))
    logits = model(result.images).detach()
    assert result.success.all() and (logits[:, 1] - logits[:, 0] > 0.2).all()


def test_a_round_ends_where_the_loss_has_stopped_falling(linear) -> None:
    model, images, labels, _ = linear
    ended, whole = (
        finish(CarliniWagner(**SEARCH | {"stop_early": early}).run(model, images[:2], labels[:2]))
        for early in (True, False)
    )
    assert (whole.queries == 901).all() and (ended.queries < 800).all()
    torch.testing.assert_close(ended.norms["l2"], whole.norms["l2"], atol=0, rtol=0.05)


def test_without_momentum_it_is_pgd(trained_net: nn.Module, colours) -> None:
    case = trained_net, colours.pixels[:8], colours.labels[:8]
    shared = dict(eps=0.03, alpha=0.01, steps=4, stop_early=False)
    bare = finish(MIFGSM(**shared, momentum=0.0).run(*case))
    assert torch.equal(bare.images, finish(PGD(**shared, random_start=False).run(*case)).images)
    assert not torch.equal(bare.images, finish(MIFGSM(**shared).run(*case)).images)


def test_momentum_survives_a_zero_gradient() -> None:
    class Deaf(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([0 * x.sum((1, 2, 3)), 0 * x.sum((1, 2, 3)) - 1], 1)

    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(finish(MIFGSM().run(Deaf(), images, torch.tensor([0, 0]))).images, images)
