"""APGD, FAB, Square and AutoAttack: schedules and closed forms, few classes, the record of the stages."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from core.attacks import APGD, APGDT, FAB, AutoAttack, Square
from core.attacks.inputs.apgd.checkpoints import checkpoints
from core.attacks.inputs.square.proposals import Windows, peaks, window
from core.attacks.shared.losses import dlr, targeted_dlr
from core.attacks.shared.problem import prepare
from core.runs import finish
from tests.core.attacks.helpers import TwoClassLinear, linear_case

SMALL = dict(steps=10, targets=3, queries=40)


def net(classes: int, seed: int = 0) -> nn.Module:
    """A small untrained net."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(8 * 5 * 5, classes),
    ).double().eval()  # fmt: skip


def case(classes: int = 10, n: int = 12) -> tuple[nn.Module, Tensor, Tensor]:
    """A net, images, and what it says of them."""
    model, images = net(classes), torch.rand(n, 3, 12, 12, generator=torch.Generator().manual_seed(1)).double()
    return model, images, model(images).argmax(1)


@pytest.fixture
def linear() -> tuple[TwoClassLinear, Tensor, Tensor, Tensor]:
    model, images, margins = linear_case()
    return model, images, torch.zeros(len(images), dtype=torch.long), margins


def test_the_checkpoints_of_a_hundred_steps_are_the_paper_s() -> None:
    assert checkpoints(100) == {22: 22, 41: 19, 57: 16, 70: 13, 80: 10, 87: 7, 93: 6, 99: 6}
    assert checkpoints(1) == {1: 1} and checkpoints(4) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_dlr_by_hand_and_in_other_units() -> None:
    model, images, _ = case(5, 2)
    logits = torch.tensor([[3.0, 1.0, 2.0, 0.0, -1.0], [0.0, 5.0, 1.0, 2.0, 3.0]]).double()
    problem = prepare(model, images, torch.tensor([0, 0]), None, None)
    torch.testing.assert_close(dlr(problem, logits), torch.tensor([-1 / 2, 5 / 3]).double())
    torch.testing.assert_close(dlr(problem, 7 * logits - 3), dlr(problem, logits))
    towards = prepare(model, images, torch.tensor([0, 0]), 3, None)
    expected = torch.tensor([-3 / 2.5, 2 / 3.5]).double()
    torch.testing.assert_close(targeted_dlr(towards, logits), expected)
    torch.testing.assert_close(dlr(towards, logits), expected)  # with a target


@pytest.mark.parametrize(("classes", "expected"), [(3, -3 / 3.0), (2, -2.0)])
def test_few_classes_leave_less_to_divide_by(classes: int, expected: float) -> None:
    model, images, _ = case(classes, 1)
    logits = torch.tensor([[3.0, 1.0, 0.0]]).double()[:, :classes]
    towards = prepare(model, images, torch.tensor([0]), classes - 1, None)
    assert targeted_dlr(towards, logits).item() == pytest.approx(expected)


def test_dlr_refuses_two_classes_in_a_sentence(linear) -> None:
    model, images, labels, _ = linear
    with pytest.raises(ValueError, match="compares three logits, and the model knows 2 classes; choose loss='ce'"):
        finish(APGD(loss="dlr").run(model, images, labels))


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
@pytest.mark.parametrize("attack", [APGD, APGDT, Square, AutoAttack])
def test_success_exactly_where_the_budget_exceeds_the_smallest_change(linear, attack, norm: str, dual: int) -> None:
    model, images, labels, margins = linear
    smallest = margins / torch.linalg.vector_norm(model.slope.detach().flatten(), dual)
    ordered = smallest.sort().values
    eps = float(ordered[5:7].mean())
    method = attack(eps=eps, norm=norm, **({"queries": 300} if attack in (Square, AutoAttack) else {}))
    found = finish(method.run(model, images, labels)).success
    assert not found[smallest > eps].any()
    if attack is not Square:
        assert found[smallest < eps].all()
    elif norm == "linf":
        assert found[smallest < 0.7 * eps].all()


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2), ("l1", torch.inf)])
@pytest.mark.parametrize("targeted", [True, False])
def test_fab_finds_the_smallest_change_of_a_linear_network(linear, norm: str, dual: float, targeted: bool) -> None:
    model, images, labels, margins = linear
    result = finish(FAB(norm=norm, steps=20, targeted=targeted).run(model, images, labels))
    smallest = margins / torch.linalg.vector_norm(model.slope.detach().flatten(), dual)
    order = {"linf": torch.inf, "l2": 2, "l1": 1}[norm]
    reached = torch.linalg.vector_norm((result.images - images).flatten(1), order, dim=1)
    assert result.success.all() and (reached >= smallest - 1e-5).all()
    inside = ((result.images > 0) & (result.images < 1)).flatten(1).all(1)
    torch.testing.assert_close(reached[inside], smallest[inside], atol=0, rtol=0.05)


def test_more_steps_of_fab_never_end_farther_away() -> None:
    model, images, labels = case()
    sizes = [finish(FAB(steps=steps, targets=4).run(model, images, labels)).norms["linf"] for steps in (5, 20)]
    assert (sizes[1] <= sizes[0] + 1e-12).all() and (sizes[1] < sizes[0]).any()


def test_apgd_raises_its_best_loss_and_keeps_the_last_success_without_stopping() -> None:
    model, images, labels = case()
    losses = [finish(APGD(steps=steps, eps=2e-3).run(model, images, labels)) for steps in (4, 30)]
    still = ~losses[0].success & ~losses[1].success
    assert still.any() and (losses[1].report["loss"] >= losses[0].report["loss"])[still].all()
    assert torch.equal(losses[1].images[still], images[still]), "an image without success is returned as it was"
    whole = finish(APGD(steps=30, eps=0.02, stop_early=False).run(model, images, labels))
    early = finish(APGD(steps=30, eps=0.02).run(model, images, labels))
    assert torch.equal(whole.success, early.success) and (whole.queries == 32).all()
    assert (early.queries <= whole.queries).all() and (whole.steps >= early.steps).all()


def test_apgd_restarts_attack_the_survivors_only() -> None:
    model, images, labels = case()
    one = finish(APGD(steps=5, eps=6e-3).run(model, images, labels))
    many = finish(APGD(steps=5, eps=6e-3, restarts=3).run(model, images, labels))
    assert one.success.any() and not one.success.all()
    assert torch.equal(many.images[one.success], one.images[one.success])
    assert (many.queries[~many.success] == 1 + 3 * 6).all()


def test_apgd_t_names_the_class_that_it_aimed_at() -> None:
    model, images, labels = case()
    found = finish(APGDT(steps=20, eps=0.05).run(model, images, labels))
    rival = found.report["rival"]
    assert found.success.any() and ((rival >= 0) == found.success).all() and (rival != labels).all()
    first = model(images).scatter(1, labels[:, None], -torch.inf).argmax(1)
    assert (rival == first)[found.success].float().mean() > 0.5


def test_square_uses_no_gradient_and_its_margin_only_falls() -> None:
    model, images, labels = case()

    class Scores(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert not torch.is_grad_enabled()
            return model(x.double())

    eps = 5e-3
    for norm, budget in (("linf", eps), ("l2", 0.05)):
        searches = [Square(norm=norm, eps=budget, queries=queries, rescale=False) for queries in (10, 60)]
        few, many = (finish(search.run(Scores(), images.float(), labels)) for search in searches)
        problem = prepare(model, images, labels, None, None)
        margins = [problem.margin(model(found.images.double())) for found in (few, many)]
        assert (margins[1] <= margins[0]).all() and (margins[1] < margins[0]).any()
        assert (few.queries <= 12).all() and (few.queries[~few.success] == 12).all()
        if norm == "linf":
            inside = (images > eps) & (images < 1 - eps)
            change = (many.images - images).abs()[inside]
            torch.testing.assert_close(change, torch.full_like(change, eps), atol=1e-6, rtol=0)
        else:
            torch.testing.assert_close(many.norms["l2"], torch.full_like(many.norms["l2"], budget), atol=0, rtol=0.1)


def test_the_peaks_of_square_in_l2() -> None:
    generator = torch.Generator().manual_seed(0)
    for side in (1, 2, 3, 7):
        shape = peaks(side, generator)
        assert shape.shape == (side, side) and shape.norm().item() == pytest.approx(1)
    shape = torch.stack([peaks(6, generator) for _ in range(12)])
    upper = shape[:, :3].sum((1, 2)) > 0.1
    assert upper.any() and not upper.all()  # half of them are turned
    straight = shape[upper][0]
    torch.testing.assert_close(straight[:3], -straight[3:])
    # two halves of nested squares around (1, 3): 1, then 1 + 1/4, …
    assert straight[1, 3] == straight.max() and straight[1, 3] / straight[0, 3] == pytest.approx(
        (1 + 1 / 4 + 1 / 9 + 1 / 16) / (1 / 4 + 1 / 9 + 1 / 16)
    )


def test_windows_lie_in_the_image_and_budgets_are_spent() -> None:
    generator = torch.Generator().manual_seed(0)
    places = [window(3, 5, 4, generator) for _ in range(60)]
    assert {rows.start for rows, _ in places} == {0, 1, 2} and {columns.start for _, columns in places} == {0, 1}
    model, images, labels = case(n=3)
    problem = prepare(model, 0.5 * images + 0.25, labels, None, None, 0.1)
    start = Windows().start(problem, generator)
    moved = Windows().propose(problem, start, 0.2, generator)
    for found in (start, moved):
        length = (found - problem.images).flatten(1).norm(dim=1)
        torch.testing.assert_close(length, torch.full_like(length, 0.1))


def test_autoattack_is_at_least_as_strong_as_each_of_its_attacks() -> None:
    model, images, labels = case()
    eps = 6e-3
    whole = finish(AutoAttack(eps=eps, **SMALL).run(model, images, labels))
    for attack in (APGD(eps=eps, steps=10), APGDT(eps=eps, steps=10, targets=3), Square(eps=eps, queries=40)):
        alone = finish(attack.run(model, images, labels))
        assert alone.success.sum() <= whole.success.sum()
    nearest = finish(FAB(steps=10, targets=3).run(model, images, labels))
    assert (nearest.norms["linf"] <= eps).sum() <= whole.success.sum()
    quick = finish(AutoAttack(eps=eps, version="quick", **SMALL).run(model, images, labels))
    assert [stage.name for stage in quick.report["stages"]] == ["APGD-CE", "APGD-T"]
    assert quick.report["robust"] >= whole.report["robust"]


def test_the_record_of_the_stages_adds_up() -> None:
    model, images, labels = case()
    labels = labels.clone()
    labels[:2] = (labels[:2] + 1) % 10
    eps = torch.full((12,), 6e-3).double()
    eps[2] = 0.5
    robust, run = [], AutoAttack(**SMALL).run(model, images, labels, eps=eps)
    while True:
        try:
            robust.append(next(run))
        except StopIteration as end:
            found = end.value
            break
    stages, stage = found.report["stages"], found.report["stage"]
    assert (stage[:2] == 0).all() and stage[2] == 1
    assert stages[0].attacked == 10
    for number, now in enumerate(stages):
        assert now.broken == (stage == number + 1).sum()
        if number:
            assert now.attacked == stages[number - 1].attacked - stages[number - 1].broken
    assert found.report["robust"] == pytest.approx((stage < 0).float().mean().item())
    assert torch.equal(found.success, stage >= 0)
    assert torch.equal(model(found.images).argmax(1) != labels, found.success)
    assert torch.equal(found.images[stage <= 0], images[stage <= 0])
    assert found.queries.sum() == 2 * 12 + sum(now.queries for now in stages)
    shares = [progress.metrics["robust"] for progress in robust]
    assert all(b <= a + 1e-6 for a, b in itertools.pairwise(shares))
    assert shares[-1] == pytest.approx(found.report["robust"])
    assert list(dict.fromkeys(p.stage for p in robust)) == [now.name for now in stages]


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_autoattack_works_with_few_classes_and_says_so(classes: int) -> None:
    model, images, labels = case(classes)
    found = finish(AutoAttack(eps=0.15, steps=10, queries=20).run(model, images, labels))
    assert found.success.any()
    told = [said for said in found.report["warnings"] if f"knows {classes} classes" in said]
    assert len(told) == (classes < 4)


def test_it_warns_of_probabilities_random_models_and_square() -> None:
    model, images, labels = case()

    class Shaken(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            logits = super().forward(x)
            return logits + 0.1 * torch.randn_like(logits)

    class Deaf(nn.Sequential):
        """Its gradients are zero: it sees its images in steps."""

        def forward(self, x: Tensor) -> Tensor:
            return super().forward((x * 64).round() / 64 + 0 * x)

    for bad, word in ((Shaken(model), "different logits"), (nn.Sequential(model, nn.Softmax(1)), "probabilities")):
        torch.manual_seed(0)
        found = finish(AutoAttack(eps=1e-3, steps=2, queries=2).run(bad, images, labels))
        assert any(word in said for said in found.report["warnings"])
    masked = finish(AutoAttack(eps=0.1, steps=5, queries=100).run(Deaf(model), images, Deaf(model)(images).argmax(1)))
    assert any("masked" in said for said in masked.report["warnings"])
    clean = finish(AutoAttack(eps=0.01, **SMALL).run(model, images, labels))
    assert clean.report["warnings"] == [] or clean.report["stages"][-1].name == "Square"


def test_a_single_image_of_odd_shape() -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 4)).eval()
    image = torch.rand(1, 3, 9, 6)
    for norm in ("linf", "l2"):
        found = finish(AutoAttack(norm=norm, **SMALL).run(model, image, model(image).argmax(1)))
        assert found.images.shape == image.shape and math.isfinite(found.report["robust"])
