"""The balls: L1 projection against a direct solver, steepest steps, PGD in L1 against the closed form."""

from __future__ import annotations

import pytest
import torch
from scipy.optimize import brentq, linprog
from torch import Tensor

from core.attacks import PGD
from core.attacks.inputs.fab.hyperplane import onto
from core.attacks.shared.balls import projected, size, steepest
from core.runs import finish
from tests.core.attacks.helpers import linear_case


def points(n: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images in float64, some of their values at 0 and 1, and points outside."""
    generator = torch.Generator().manual_seed(seed)
    x = (1.4 * torch.rand(n, 3, 4, 4, generator=generator).double() - 0.2).clamp(0, 1)
    return x, x + torch.randn(x.shape, generator=generator).double()


@pytest.mark.parametrize("eps", [0.0, 0.3, 2.0, 100.0])
def test_the_l1_projection_is_that_of_a_direct_solver(eps: float) -> None:
    x, moved = points()
    found = projected(moved, x, eps, "l1")
    for image, point, ours in zip(x, moved, found, strict=True):
        change = point - image

        def shortened(by: float, image: Tensor = image, change: Tensor = change) -> Tensor:
            return (image + change.sign() * (change.abs() - by).clamp_min(0)).clamp(0, 1) - image

        def left(by: float, shortened=shortened) -> float:
            return shortened(by).abs().sum().item() - eps

        by = 0.0 if left(0.0) <= 0 else brentq(left, 0, 10, xtol=1e-12) if eps else 10.0
        torch.testing.assert_close(ours - image, shortened(by), atol=1e-9, rtol=0)


def test_no_point_of_the_l1_ball_and_the_box_is_nearer() -> None:
    x, moved = points(2)
    found, generator = projected(moved, x, 1.5, "l1"), torch.Generator().manual_seed(1)
    for _ in range(200):
        other = projected(x + torch.randn(x.shape, generator=generator).double(), x, 1.5, "l1")
        assert (size(other - moved, "l2") >= size(found - moved, "l2") - 1e-9).all()


def test_each_image_has_its_own_radius() -> None:
    x, moved = points()
    eps = torch.linspace(0.1, 2, 6).double()
    for norm in ("linf", "l2", "l1"):
        found = projected(moved, x, eps[:, None, None, None], norm)
        alone = torch.cat([projected(moved[i : i + 1], x[i : i + 1], float(eps[i]), norm) for i in range(6)])
        torch.testing.assert_close(found, alone, atol=1e-12, rtol=0)
        assert (size(found - x, norm) <= eps + 1e-9).all()


def test_the_steepest_l1_step_moves_the_largest_gradients_that_can_move() -> None:
    slope, now = torch.zeros(1, 3, 20, 20), torch.full((1, 3, 20, 20), 0.5)
    slope[0, 0, 0, :14] = torch.arange(1.0, 15.0)  # a hundredth of 1,200 values is 12
    now[0, 0, 0, 13] = 1.0  # the largest, and at its bound
    step = steepest(slope, "l1", now)
    expected = torch.zeros_like(slope)
    expected[0, 0, 0, 1:13] = 1 / 12
    torch.testing.assert_close(step, expected)
    assert (steepest(torch.zeros_like(slope), "l1", now) == 0).all()


def test_pgd_in_l1_succeeds_exactly_where_eps_times_linf_exceeds_the_margin() -> None:
    model, images, margins = linear_case()
    smallest = (margins / model.slope.detach().abs().max()).sort().values
    eps = float(smallest[5:7].mean())
    beaten = margins / model.slope.detach().abs().max() < eps
    labels = torch.zeros(len(images), dtype=torch.long)
    room = 0.5 * images.amin()  # the value that moves must not reach its bound
    assert eps > 0 and room > 0
    attack = PGD(norm="l1", eps=eps, alpha=eps / 4, steps=8, random_start=False, stop_early=False)
    result = finish(attack.run(model, images, labels))
    inside = ((result.images > 0) & (result.images < 1)).flatten(1).all(1)
    assert torch.equal(result.success[inside], beaten[inside]) and inside.sum() > 6
    assert ((result.images - images).abs().flatten(1).sum(1) <= eps + 1e-5).all()
    random = finish(PGD(norm="l1", eps=eps, alpha=eps / 4, steps=20).run(model, images, labels))
    assert ((random.images - images).abs().flatten(1).sum(1) <= eps + 1e-5).all()


def hyperplanes() -> tuple[Tensor, Tensor, Tensor]:
    """Points, normals (one value without weight) and gaps that can be reached."""
    x, w = (part.flatten(1) for part in points())
    w = w - x
    w[:, 3] = 0
    goal = points(seed=5)[0].flatten(1)  # a point of the box on each hyperplane
    return x, w, (w * (goal - x)).sum(1)


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_the_move_onto_a_hyperplane_is_the_smallest_in_the_box(norm: str) -> None:
    x, w, gap = hyperplanes()
    d = onto(x, w, gap, norm)
    torch.testing.assert_close((w * d).sum(1), gap, atol=1e-9, rtol=0)
    assert ((x + d >= -1e-12) & (x + d <= 1 + 1e-12)).all()
    for point, normal, missing, ours in zip(x, w, gap, d, strict=True):
        assert size(ours[None, :, None, None], norm).item() == pytest.approx(_smallest(point, normal, missing, norm))


def _smallest(x: Tensor, w: Tensor, gap: Tensor, norm: str) -> float:
    """The norm of the smallest change, by linear programming or by bisection."""
    n, bounds = len(x), [(-float(v), 1 - float(v)) for v in x]
    if norm == "linf":  # over (d, t): d - t <= 0, -d - t <= 0
        eye = torch.eye(n).double()
        rows = torch.cat([torch.cat([s * eye, -torch.ones(n, 1).double()], 1) for s in (1, -1)])
        cost, equal = [0.0] * n + [1.0], torch.cat([w, torch.zeros(1).double()])
        return linprog(cost, rows.numpy(), [0.0] * (2 * n), equal[None].numpy(), [gap], [*bounds, (0, None)]).fun
    if norm == "l1":  # over the rises and falls of each value
        parts = [(0, high) for _, high in bounds] + [(0, -low) for low, _ in bounds]
        return linprog([1.0] * (2 * n), A_eq=torch.cat([w, -w])[None].numpy(), b_eq=[gap], bounds=parts).fun

    def moved(level: float) -> Tensor:
        return (x + level * w).clamp(0, 1) - x

    level = brentq(lambda level: float((w * moved(level)).sum() - gap), -100, 100, xtol=1e-13)
    return moved(level).norm().item()


def test_a_hyperplane_out_of_reach_takes_every_value_to_its_bound() -> None:
    x, w, _ = hyperplanes()
    for norm in ("linf", "l2", "l1"):
        for gap in (torch.full((6,), 1e3).double(), torch.full((6,), -1e3).double()):
            there = x + onto(x, w, gap, norm)
            weighed = w != 0
            torch.testing.assert_close(there[weighed], ((w * gap[:, None]) > 0).double()[weighed])
            assert torch.equal(there[~weighed], x[~weighed])
    assert (onto(x, w, torch.zeros(6).double(), "l2") == 0).all()
