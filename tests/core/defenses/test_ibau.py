"""The implicit hypergradient against closed forms and finite differences, and I-BAU on a small net."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses import IBAU
from core.defenses.repairs.ibau.hypergradient import gradients, hypergradient, products
from core.defenses.repairs.ibau.ibau import inner_loss, outer_loss, perturbed
from core.networks.model_state import working_copy
from core.runs import Progress, finish

ONE = (torch.ones(1),)  # a batch of one image, for losses that do not look at it
DOUBLE = torch.float64


def show(k: int) -> Progress:
    return Progress("v", k, k)


class Toy:
    """L_in = delta' A delta / 2 - (B theta)' delta + sum(delta^4) / 20, L_out = |delta - c|^2 / 2 + |theta|^2 / 4."""

    def __init__(self) -> None:
        self.theta = torch.tensor([0.7, -0.4], dtype=DOUBLE, requires_grad=True)
        self.delta = torch.zeros(2, dtype=DOUBLE, requires_grad=True)
        self.a = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=DOUBLE)
        self.b = torch.tensor([[1.0, -1.0], [0.3, 2.0]], dtype=DOUBLE)

    def inner(self, _: Tensor) -> Tensor:
        d = self.delta
        return 0.5 * d @ self.a @ d - (self.b @ self.theta) @ d + d.pow(4).sum() / 20

    def outer(self, _: Tensor) -> Tensor:
        return (
            0.5 * (self.delta - torch.tensor([1.0, 2.0], dtype=DOUBLE)).square().sum() + self.theta.square().sum() / 4
        )

    def solve(self) -> None:
        """delta becomes the solution of the inner problem."""
        for _ in range(150):
            _, slope = gradients(self.inner, ONE, [self.delta])
            self.delta = (self.delta - 0.2 * slope).detach().requires_grad_(True)

    def hyper(self, iterations: int, rate: float = 0.2) -> Tensor:
        run = hypergradient(
            self.outer, ONE, self.inner, ONE, self.delta, [self.theta], rate=rate, iterations=iterations, show=show
        )
        return finish(run)[1][0]

    def value(self, theta: Tensor) -> float:
        self.theta = theta.detach().requires_grad_(True)
        self.solve()
        return self.outer(ONE[0]).item()


def test_against_finite_differences() -> None:
    """The gradient of theta -> L_out(delta*(theta), theta), two parameters, central differences."""
    toy = Toy()
    toy.solve()
    ours, theta, h = toy.hyper(150), toy.theta.detach().clone(), 1e-5
    steps = h * torch.eye(2, dtype=DOUBLE)
    theirs = torch.tensor([(toy.value(theta + s) - toy.value(theta - s)) / (2 * h) for s in steps], dtype=DOUBLE)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_few_iterations_are_a_truncated_series() -> None:
    """v_K = sum over k < K of (I - rate H)^k grad_delta L_out, with H the inner Hessian."""
    toy = Toy()
    with torch.no_grad():
        toy.delta.copy_(torch.tensor([0.3, -0.2], dtype=DOUBLE))
    hessian = toy.a + torch.diag(0.6 * toy.delta.detach().square())
    slope = toy.delta.detach() - torch.tensor([1.0, 2.0], dtype=DOUBLE)
    for k in (1, 2, 5):
        v = sum(torch.linalg.matrix_power(torch.eye(2, dtype=DOUBLE) - 0.2 * hessian, i) @ slope for i in range(k))
        torch.testing.assert_close(toy.hyper(k), toy.theta.detach() / 2 + 0.2 * toy.b.T @ v)


def test_products_are_those_of_the_whole_hessian() -> None:
    toy, v = Toy(), torch.tensor([0.5, -1.5], dtype=DOUBLE)
    curved, mixed = products(toy.inner, ONE, toy.delta, [toy.delta, toy.theta], v)
    torch.testing.assert_close(curved, toy.a @ v)
    torch.testing.assert_close(mixed, -toy.b.T @ v)


@pytest.fixture
def net(trained_net: nn.Module) -> nn.Module:
    return working_copy(trained_net)


def hyper(net: nn.Module, colours: ImageSet, portion: float, k: int) -> list[Tensor]:
    images, labels = colours.pixels[:16], colours.labels[:16]
    delta = (0.05 * torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))).requires_grad_(True)
    batch = (images, labels, perturbed(16, portion, images))
    outer, inner = outer_loss(net, delta), inner_loss(net, delta)
    theta = list(net.parameters())
    run = hypergradient(outer, batch, inner, (images, labels), delta, theta, rate=0.1, iterations=k, show=show)
    return finish(run)[1]


@pytest.mark.parametrize("k", [1, 5])
def test_no_perturbed_image_is_plain_fine_tuning(net: nn.Module, colours: ImageSet, k: int) -> None:
    plain = torch.autograd.grad(F.cross_entropy(net(colours.pixels[:16]), colours.labels[:16]), list(net.parameters()))
    for ours, theirs in zip(hyper(net, colours, 0.0, k), plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert not all(torch.allclose(a, b, atol=1e-6) for a, b in zip(hyper(net, colours, 0.5, k), plain, strict=True))


def test_parts_give_the_gradient_of_the_whole(net: nn.Module, colours: ImageSet) -> None:
    whole, forward = hyper(net, colours, 0.25, 3), type(net).forward

    def narrow(self: nn.Module, x: Tensor) -> Tensor:
        if len(x) > 4:
            raise torch.OutOfMemoryError("test")
        return forward(self, x)

    net.forward = narrow.__get__(net)
    for ours, theirs in zip(hyper(net, colours, 0.25, 3), whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


def test_a_transformer_has_second_derivatives() -> None:
    import timm

    torch.manual_seed(0)
    vit = timm.create_model("vit_tiny_patch16_224", img_size=32, patch_size=16, depth=1, num_classes=4).eval()
    assert vit.blocks[0].attn.fused_attn
    delta = torch.zeros(1, 3, 32, 32, requires_grad=True)
    v = torch.ones_like(delta)
    (curved,) = products(inner_loss(vit, delta), (torch.rand(2, 3, 32, 32), torch.arange(2)), delta, [delta], v)
    assert curved.any()


@pytest.mark.parametrize(("n", "portion", "count"), [(64, 0.01, 1), (256, 0.01, 3), (64, 0.0, 0), (8, 1.0, 8)])
def test_at_least_one_image_is_perturbed(n: int, portion: float, count: int) -> None:
    marks = perturbed(n, portion, torch.zeros(1))
    assert marks.shape == (n, 1, 1, 1)
    assert marks.sum() == count


def test_buffers_do_not_move_and_weights_do(trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(IBAU(rounds=1, steps=2, batch_size=16).run(trained_net, colours))
    for name, buffer in trained_net.named_buffers():
        assert torch.equal(buffer, repaired.get_buffer(name)), name
    assert not torch.equal(repaired.conv1.weight, trained_net.conv1.weight)


def test_the_first_perturbing_step_by_hand(trained_net: nn.Module, colours: ImageSet) -> None:
    """delta = 0 - lr grad(-CE): uphill in the loss, unbounded; nothing is perturbed in 0 rounds."""
    run = IBAU(rounds=1, steps=1, inner_lr=50.0, batch_size=512, flip=False, pad=0).run(trained_net, colours, seed=1)
    norm = next(run).metrics["norm"]
    run.close()
    fit = colours.split(0.8, 1)[0].pixels
    delta = torch.zeros(1, 3, 16, 16, requires_grad=True)
    F.cross_entropy(trained_net(fit + delta), trained_net(fit).argmax(1)).backward()
    assert norm == pytest.approx(50.0 * delta.grad.norm().item(), rel=1e-3)
    same = finish(IBAU(rounds=0).run(trained_net, colours))
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), trained_net.parameters(), strict=True))
    assert same.report["delta/norm"] == 0


def test_a_high_loss_under_delta_lowers_no_learning_rate(trained_net: nn.Module, colours: ImageSet) -> None:
    """Nothing bounds delta, so the loss under it stays above chance at every rate that keeps the accuracy."""
    method = IBAU(rounds=1, steps=25, iterations=1, inner_lr=1000.0, lr=1e-6, batch_size=8)
    assert finish(method.run(trained_net, colours)).report["lr"] == pytest.approx(1e-6)
