"""Closed forms of what a concept vector is made of: classifiers, non-concepts, margins, recalls, tests."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from core.data import ImageSet
from core.explain.concepts.examples import divide
from core.explain.concepts.logistic import logistic
from core.explain.concepts.margin import moved
from core.explain.concepts.non_concept import NonConcept, gram_schmidt, orthonormal
from core.explain.concepts.planes import Planes, Scale, fitted
from core.explain.concepts.recall import recalls
from core.explain.concepts.sensitivity import Slopes
from core.explain.concepts.significance import against_random, t_test


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("d", [3, 60], ids=["more pictures", "more dimensions"])
def test_logistic_regression_is_that_of_scikit_learn(d):
    x = normal(4, 40, d)
    y = (x[:, :, 0] + 0.5 * normal(4, 40, seed=1) > 0).double()
    weights, biases = logistic(x, y)
    for i in range(4):
        machine = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(x[i].numpy(), y[i].numpy())
        torch.testing.assert_close(weights[i], torch.from_numpy(machine.coef_[0]), atol=1e-5, rtol=1e-5)
        assert biases[i].item() == pytest.approx(machine.intercept_[0], abs=1e-5)


@pytest.mark.parametrize("kind", ["logistic", "hinge"])
def test_a_direction_that_is_known_is_found(kind):
    true = torch.tensor([0.6, 0.8], dtype=torch.float64)
    concept, random = 4 * true + normal(400, 2), normal(400, 2, seed=1)
    scale = Scale.of(torch.cat([concept, random])[None])
    found = scale.planes(*fitted(kind, scale(concept[None]), scale(random[None]), torch.Generator().manual_seed(0)))
    assert (found.normals[0] @ true).item() > 0.98
    assert found.normals[0].norm().item() == pytest.approx(1)
    assert (found(concept) > 0).double().mean() > 0.95 and (found(random) < 0).double().mean() > 0.95


def test_a_plane_of_standardised_activations_is_the_same_plane_in_raw_ones():
    a = normal(1, 50, 4) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + 2
    scale, w, b = Scale.of(a), normal(1, 4, seed=1), normal(1, seed=2)
    raw, there = scale.planes(w, b)(a[0])[0], (scale(a)[0] @ w[0] + b[0])
    torch.testing.assert_close(raw * (w / scale.std[:, 0]).norm(), there)


def test_half_way_between_two_means():
    concept, random = torch.tensor([[4.0, 1.0]]).double(), torch.tensor([[0.0, 1.0]]).double()
    planes = Planes.between(torch.tensor([[3.0, 0.0]]).double(), concept, random)
    assert planes(torch.tensor([[2.0, 9.0]]).double()).item() == 0 and planes(concept).item() == 2
    with pytest.raises(ValueError, match="same activations"):
        Planes.between(torch.zeros(1, 2), concept, random)


@pytest.mark.parametrize("how", ["svd", "gram-schmidt"])
def test_non_concepts_are_orthogonal_to_the_concepts_span(how):
    concept, random = normal(12, 30) + 1, normal(200, 30, seed=1)
    space = NonConcept.of(concept, random, 5, how)
    eye = torch.eye(5, dtype=torch.float64)
    torch.testing.assert_close(space.concept @ space.concept.T, eye, atol=1e-10, rtol=0)
    assert (space.concept @ space.basis.T).abs().max() < 1e-10
    for negatives in (space.sample(50, torch.Generator().manual_seed(0)), space.residuals(random)):
        assert ((negatives - space.centre) @ space.concept.T).abs().max() < 1e-10
        assert (negatives - space.centre).abs().max() > 0.5


def test_gram_schmidt_spans_what_the_rows_span_and_leaves_out_repetitions():
    rows = normal(4, 10)
    basis = gram_schmidt(torch.cat([rows, rows[:1]]))
    assert basis.shape == (4, 10)
    torch.testing.assert_close(rows @ basis.T @ basis, rows)
    other = orthonormal(rows)
    torch.testing.assert_close(basis.T @ basis, other.T @ other)


def test_samples_vary_as_the_random_pictures_do():
    random = normal(500, 4) * torch.tensor([1.0, 2.0, 3.0, 4.0])
    drawn = NonConcept.of(normal(20, 4, seed=1), random, 0).sample(20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.std(0), random.std(0), rtol=0.05, atol=0.05)
    torch.testing.assert_close(drawn.mean(0), random.mean(0), atol=0.1, rtol=0)


def test_copies_move_by_eta_from_the_boundary_or_to_it():
    a, w = normal(1, 6, 3), normal(1, 3, seed=1)
    for sign in (1, -1):
        for direction, way in (("away", 1), ("toward", -1)):
            grown = sign * ((moved(a, sign, w, 0.7, direction) - a) @ w[0])
            torch.testing.assert_close(grown, torch.full_like(grown, way * 0.7 * w.norm().item()))


def test_recall_is_told_with_its_false_positives_and_a_shift_buys_only_the_first():
    concept = torch.arange(50) < 10
    values = torch.cat([torch.linspace(0.5, 2.5, 10), torch.linspace(-3, 1, 40)]).double()[None]
    found, curve = recalls(values, concept)
    assert found.recall.item() == 1.0
    assert found.false_positive_rate.item() == pytest.approx((values[0, 10:] > 0).double().mean().item())
    assert found.recall_at_5.item() == curve.tpr_at(0.05) < 1
    shifted, _ = recalls(values + 100, concept)
    assert (shifted.recall, shifted.false_positive_rate) == (1.0, 1.0)
    assert shifted.recall_at_5 == found.recall_at_5 and shifted.auroc == found.auroc


def test_the_score_of_a_linear_head_is_its_formula():
    """h_k(a) = W_k . a: S = W_k . v for every picture, so that a score is 0 or 1."""
    head, labels = normal(3, 5), torch.tensor([0, 0, 1, 2, 2, 2])
    slopes = Slopes(head[labels], labels, 4)
    v = normal(5, seed=1)
    scores = slopes.scores(v[None])[0]
    assert scores[:3].tolist() == (head @ v > 0).double().tolist() and scores[3].isnan()
    torch.testing.assert_close(slopes.scores(-v)[:3], 1 - scores[:3])
    torch.testing.assert_close(slopes.scores(7 * v)[:3], scores[:3])
    assert slopes.counts.tolist() == [2, 1, 3, 0]


def test_a_random_concept_is_significant_as_often_as_chance_says():
    """Of 19 controls and a concept like them, it lies farthest out one time in 20; a t-test is fooled by its sets."""
    generator = torch.Generator().manual_seed(0)
    offsets = torch.randn(400, 20, 1, 1, generator=generator)
    scores = (offsets + 0.3 * torch.randn(400, 20, 10, 1, generator=generator)).sigmoid()
    p = torch.cat([against_random(one[0], one[1:]) for one in scores])
    assert 0.03 < (p <= 0.05).double().mean() < 0.08
    fooled = torch.cat([t_test(one[0], one[1:, 0]) for one in scores])
    assert (fooled < 0.05).double().mean() > 0.2


def test_equal_constants_have_no_t_test():
    assert t_test(torch.ones(5, 1), torch.ones(5, 1)).isnan().all()
    assert against_random(torch.ones(5, 1), torch.ones(19, 5, 1)).item() == 1


def data(n: int = 60) -> ImageSet:
    images = torch.randint(256, (n, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return ImageSet(images, torch.arange(n) % 3, ("a", "b", "c"))


def test_parts_never_mix_and_examples_are_taken_out_of_the_random_pictures():
    concept = torch.arange(60) < 20
    found = divide(data(), concept, 100, seed=0)
    parts = [found.train, found.validation, found.test]
    with_it = torch.cat([part.concept for part in parts])
    without = torch.cat([part.random for part in parts])
    assert sorted(with_it.tolist()) == list(range(20)) and sorted(without.tolist()) == list(range(20, 60))
    examples = divide(data(), data()[concept], 100, seed=0)
    assert len(examples.images) == 60 and (examples.origin >= 0).sum() == 40
    assert (examples.origin[examples.test.concept] == -1).all()


@pytest.mark.parametrize(
    ("concept", "message"),
    [
        (torch.arange(60) < 1, "is 1 picture with the concept"),
        (torch.ones(60, dtype=torch.bool), "are 0 pictures without it"),
        (torch.zeros(60, dtype=torch.bool), "are 0 pictures with the concept"),
        (torch.zeros(60), "must be bool"),
        (torch.zeros(9, dtype=torch.bool), "must be bool"),
        (data(), "are 0 pictures without it"),
        (ImageSet(torch.zeros(20, 3, 9, 9, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64), ("a",)), "one size"),
    ],
)  # fmt: skip
def test_too_few_pictures_is_one_sentence(concept, message):
    with pytest.raises(ValueError, match=message):
        divide(data(), concept, 100, seed=0)
