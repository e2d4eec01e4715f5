"""FGSM and PGD on a linear model, where the smallest change that succeeds is known."""

import pytest
import torch

from core.attacks import FGSM, PGD
from core.runs import finish
from tests.core.attacks.helpers import linear_case


def about_the_median(margins: torch.Tensor, length: float) -> tuple[float, torch.Tensor]:
    """An eps between two images' smallest changes, and which images it beats."""
    smallest = (margins / length).sort().values
    eps = float((smallest[len(smallest) // 2 - 1] + smallest[len(smallest) // 2]) / 2)
    beaten = margins / length < eps
    assert 0 < beaten.sum() < len(margins)  # the reference tells the two cases apart
    return eps, beaten


@pytest.mark.parametrize("iterated", [False, True])
def test_linf_succeeds_exactly_where_eps_times_l1_exceeds_the_margin(iterated):
    model, images, margins = linear_case()
    d = model.slope.detach()
    eps, beaten = about_the_median(margins, d.abs().sum().item())
    attack = (
        PGD(eps=eps, alpha=eps / 4, steps=6, random_start=False, stop_early=False) if iterated else FGSM(eps=eps)
    )
    result = finish(attack.run(model, images, torch.zeros(len(images), dtype=torch.long)))
    assert torch.equal(result.success, beaten)
    expected = -eps * d.sign().expand_as(images)
    torch.testing.assert_close(result.images - images, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(result.norms["linf"], torch.full_like(margins, eps), atol=1e-6, rtol=0)


def test_l2_succeeds_exactly_where_eps_times_l2_exceeds_the_margin():
    model, images, margins = linear_case()
    d = model.slope.detach()
    eps, beaten = about_the_median(margins, d.norm().item())
    attack = PGD(norm="l2", eps=eps, alpha=eps / 4, steps=8, random_start=False, stop_early=False)
    result = finish(attack.run(model, images, torch.zeros(len(images), dtype=torch.long)))
    assert torch.equal(result.success, beaten)
    torch.testing.assert_close(result.images - images, (-eps * d / d.norm()).expand_as(images), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.norms["l2"], torch.full_like(margins, eps), atol=1e-5, rtol=0)


def test_random_start_finds_the_same_successes_as_the_closed_form():
    model, images, margins = linear_case()
    eps, beaten = about_the_median(margins, model.slope.detach().abs().sum().item())
    attack = PGD(eps=eps, alpha=eps / 4, steps=20, restarts=2)
    assert torch.equal(finish(attack.run(model, images, torch.zeros(12, dtype=torch.long))).success, beaten)


def test_targeted_attack_walks_the_same_way_as_leaving_the_other_class():
    model, images, _ = linear_case()
    labels = torch.zeros(len(images), dtype=torch.long)
    away = finish(FGSM(eps=0.01).run(model, images, labels))
    towards = finish(FGSM(eps=0.01).run(model, images, labels, target=1))
    assert torch.equal(away.images, towards.images) and torch.equal(away.success, towards.success)


def test_stop_early_drops_an_image_at_its_first_success():
    model, images, margins = linear_case()
    length = model.slope.detach().abs().sum().item()
    alpha = 0.002
    attack = PGD(eps=0.5, alpha=alpha, steps=100, random_start=False)
    result = finish(attack.run(model, images, torch.zeros(len(images), dtype=torch.long)))
    needed = torch.floor(margins / (alpha * length)).long() + 1
    assert result.success.all() and needed.unique().numel() > 2
    assert torch.equal(result.steps, needed)
    assert torch.equal(result.queries, needed + 1)
    torch.testing.assert_close(result.norms["linf"], needed * alpha, atol=1e-5, rtol=0)


def test_restarts_attack_survivors_only_and_keep_the_highest_loss():
    model, images, margins = linear_case()
    eps, beaten = about_the_median(margins, model.slope.detach().abs().sum().item())
    labels = torch.zeros(len(images), dtype=torch.long)
    one = finish(PGD(eps=eps, alpha=eps / 8, steps=2).run(model, images, labels))
    many = finish(PGD(eps=eps, alpha=eps / 8, steps=2, restarts=5).run(model, images, labels))
    assert (many.report["loss"] >= one.report["loss"]).all() and (many.report["loss"] > one.report["loss"]).any()
    assert torch.equal(many.queries[one.success], one.queries[one.success])
    assert (many.queries[~one.success] > one.queries[~one.success]).all()
    assert not many.success[~beaten].any()


def test_dead_gradients_move_nothing():
    model, images, _ = linear_case()
    with torch.no_grad():
        model.slope[:, :2] = 0
    moved = finish(FGSM(eps=0.02).run(model, images, torch.zeros(len(images), dtype=torch.long)))
    change = (moved.images != images).any(1)
    assert not change[:, :2].any() and change[:, 2:].all()
    assert (moved.norms["l0"] == 0.5).all()
