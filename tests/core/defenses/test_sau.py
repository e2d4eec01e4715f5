"""Shared adversarial examples and the shared risk against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses import SAU
from core.defenses.repairs.sau.shared_examples import jensen_shannon, shared_examples, shared_loss, shared_risk
from core.networks.model_state import working_copy
from core.runs import finish

ATTACK = dict(eps=0.2, steps=5, b1=0.01, b2=1.0)


def logits(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, requires_grad=True)


class TestJensenShannon:
    def test_the_same_model_twice(self) -> None:
        p = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).softmax(1)
        assert (jensen_shannon(p, p) == 0).all()

    def test_by_hand(self) -> None:
        p, q = torch.tensor([[0.8, 0.2]]), torch.tensor([[0.4, 0.6]])
        expected = (0.8 * math.log(0.8 / 0.6) + 0.2 * math.log(0.2 / 0.4)) / 2
        expected += (0.4 * math.log(0.4 / 0.6) + 0.6 * math.log(0.6 / 0.4)) / 2
        assert jensen_shannon(p, q).item() == pytest.approx(expected, rel=1e-5)
        assert jensen_shannon(q, p).item() == pytest.approx(expected, rel=1e-5)

    def test_certainty_is_finite(self) -> None:
        p, q = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
        assert jensen_shannon(p, q).item() == pytest.approx(math.log(2), rel=1e-5)

    def test_two_sure_models_that_differ_have_a_gradient(self) -> None:
        """p = 0.9999 on either side: a clamp at 0.999 would leave nothing to follow."""
        ours, theirs = logits([10.0, 0.0]), logits([0.0, 10.0])
        jensen_shannon(ours.softmax(1), theirs.softmax(1)).sum().backward()
        assert ours.grad.abs().min() > 0
        assert theirs.grad.abs().min() > 0


class TestSharedLoss:
    def test_by_hand(self) -> None:
        """Image 0: nobody is fooled; 1: f alone; 2: both, differently; 3: both alike."""
        labels = torch.zeros(4, dtype=torch.int64)
        ours = logits([2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0])
        theirs = logits([1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0])
        cross = -ours.log_softmax(1)[0, 0] - theirs.log_softmax(1)[:2, 0].sum()
        apart = jensen_shannon(ours.softmax(1), theirs.softmax(1))[:3].sum()
        expected = -0.3 * cross / (2 * 4) + 0.7 * apart / 4
        torch.testing.assert_close(shared_loss(ours, theirs, labels, labels, labels, b1=0.3, b2=0.7), expected)

    def test_fooled_is_measured_against_the_clean_answer(self) -> None:
        """Label 0, but both models say 1 on x itself: 1 again fools neither; 0 fools both, and alike."""
        label, plain = torch.tensor([0]), torch.tensor([1])
        again = shared_loss(logits([0.0, 3.0]), logits([0.0, 3.0]), label, plain, plain, b1=1.0, b2=1.0)
        assert again.item() == pytest.approx(-math.log1p(math.exp(3)), rel=1e-5)
        moved = shared_loss(logits([3.0, 0.0]), logits([1.0, 0.0]), label, plain, plain, b1=1.0, b2=1.0)
        assert moved == 0

    def test_each_model_has_its_own_clean_answer(self) -> None:
        """Both say 1; f said 0 before and is fooled, f_A said 1 before and is not: nothing is shared."""
        ours, theirs, label = logits([0.0, 2.0]), logits([0.0, 1.0]), torch.tensor([0])
        loss = shared_loss(ours, theirs, label, torch.tensor([0]), torch.tensor([1]), b1=1.0, b2=1.0)
        apart = jensen_shannon(ours.softmax(1), theirs.softmax(1))
        torch.testing.assert_close(loss, -torch.tensor(math.log1p(math.e)) / 2 + apart[0])

    def test_a_shared_example_has_no_gradient(self) -> None:
        ours, theirs, zero = logits([0.0, 3.0]), logits([0.0, 1.0]), torch.tensor([0])
        shared_loss(ours, theirs, zero, zero, zero, b1=0.01, b2=1.0).backward()
        assert not ours.grad.any()
        assert not theirs.grad.any()


class TestSharedRisk:
    def test_by_hand(self) -> None:
        scores = torch.tensor([[0.0, 1.0], [0.0, -1.0], [2.0, 0.0], [0.0, 0.0]])
        answers, counted = torch.tensor([1, 1, 0, 0]), torch.tensor([True, True, False, False])
        p = scores.softmax(1)
        expected = -(torch.log(1 - p[0, 1]) + torch.log(1 - p[1, 1])) / 4
        torch.testing.assert_close(shared_risk(scores, answers, counted), expected)

    def test_nobody_is_fooled(self) -> None:
        scores = torch.randn(4, 3, requires_grad=True)
        risk = shared_risk(scores, torch.zeros(4, dtype=torch.int64), torch.zeros(4, dtype=torch.bool))
        assert risk == 0

    def test_certainty_is_finite(self) -> None:
        for margin in (-100.0, 100.0):
            risk = shared_risk(torch.tensor([[0.0, margin]]), torch.tensor([1]), torch.tensor([True]))
            assert risk.isfinite()

    def test_the_strongest_answers_have_the_largest_gradient(self) -> None:
        """d/dz -log(1 - p) = p: as good as 1 at p = 0.9999, where a clamp at 0.999 would leave 0."""
        margin = math.log(0.9999 / 0.0001)
        scores = logits([0.0, margin])
        shared_risk(scores, torch.tensor([1]), torch.tensor([True])).backward()
        assert scores.grad[0, 1].item() == pytest.approx(0.9999, rel=0.02)


class TestAttack:
    def test_bounds_and_what_it_leaves_alone(self, trained_net: nn.Module, colours: ImageSet) -> None:
        model = working_copy(trained_net).train()
        before = [tensor.clone() for tensor in model.state_dict().values()]
        x = colours.pixels
        perturbed = shared_examples(model, trained_net, x, colours.labels, **ATTACK)
        assert (perturbed - x).abs().max() <= 0.2 + 1e-6
        assert not perturbed.requires_grad
        assert model.training
        assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before, strict=True))
        assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())

    def test_it_starts_at_the_upper_bound(self, trained_net: nn.Module, colours: ImageSet) -> None:
        perturbed = shared_examples(trained_net, trained_net, colours.pixels, colours.labels, **ATTACK | {"steps": 0})
        torch.testing.assert_close(perturbed, colours.pixels + 0.2)

    def test_it_fools_both_alike(self, trained_net: nn.Module, colours: ImageSet) -> None:
        perturbed = shared_examples(trained_net, trained_net, colours.pixels, colours.labels, **ATTACK)
        plain, now = trained_net(colours.pixels).argmax(1), trained_net(perturbed).argmax(1)
        assert (plain == colours.labels).float().mean() > 0.9
        assert (now == colours.labels).float().mean() < 0.5

    def test_examples_that_are_shared_stay(self) -> None:
        """+eps alone carries the mean over the bias: every example is shared at once, so delta stays there."""
        net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
        with torch.no_grad():
            net[1].weight.copy_(torch.tensor([[0.0], [1.0]]).expand(2, 12))
            net[1].bias.copy_(torch.tensor([8.0, 0.0]))
        x = 0.6 + 0.01 * torch.rand(3, 3, 2, 2, generator=torch.Generator().manual_seed(0))
        perturbed = shared_examples(net, net, x, torch.zeros(3, dtype=torch.int64), **ATTACK)
        torch.testing.assert_close(perturbed, x + 0.2)


def test_buffers_do_not_move_and_weights_do(trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(SAU(steps=2, batch_size=16).run(trained_net, colours))
    for name, buffer in trained_net.named_buffers():
        assert torch.equal(buffer, repaired.get_buffer(name)), name
    assert not torch.equal(repaired.conv1.weight, trained_net.conv1.weight)


def test_shared_risk_falls(trained_net: nn.Module, colours: ImageSet) -> None:
    run = SAU(steps=15, lr=0.01, batch_size=48, l3=5.0).run(trained_net, colours)
    shared = [p.metrics["shared"] for p in run if p.stage == "unlearn"]
    assert shared[0] > 0.3
    assert shared[-1] < 0.5 * shared[0]


def test_no_steps_is_the_identity(trained_net: nn.Module, colours: ImageSet) -> None:
    same = finish(SAU(steps=0).run(trained_net, colours))
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), trained_net.parameters(), strict=True))
