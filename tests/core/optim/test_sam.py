"""The perturbation of sharpness-aware minimisation against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.networks.model_state import working_copy
from core.optim.objectives import Metrics
from core.optim.sam import SAM, uphill
from core.optim.weight_perturbation import moved

GENERATOR = torch.Generator().manual_seed(0)
WEIGHTS = [torch.randn(4, 3, generator=GENERATOR), torch.randn(5, generator=GENERATOR), torch.zeros(2)]
GRADIENTS = [torch.randn(w.shape, generator=GENERATOR) for w in WEIGHTS]


def norm(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors]).norm()


def test_adaptive_perturbation_by_hand() -> None:
    (e,) = uphill([torch.tensor([3.0, -2.0])], [torch.tensor([1.0, 2.0])], 0.5, adaptive=True)
    torch.testing.assert_close(e, 0.5 * torch.tensor([9.0, 8.0]) / 5.0)  # |w| g = (3, 4), w^2 g = (9, 8)


def test_adaptive_radius_is_in_units_of_the_weights() -> None:
    """||e / w||_2 = rho over the weights that are not 0, one norm over all tensors; zeros stay."""
    offsets = uphill(WEIGHTS, GRADIENTS, 2.0, adaptive=True)
    ratio = norm([e / w for e, w in zip(offsets, WEIGHTS, strict=True) if w.any()])
    assert ratio.item() == pytest.approx(2.0, rel=1e-5)
    assert not offsets[2].any()


def test_plain_radius() -> None:
    offsets = uphill(WEIGHTS, GRADIENTS, 0.05, adaptive=False)
    assert norm(offsets).item() == pytest.approx(0.05, rel=1e-5)
    torch.testing.assert_close(offsets[1] / offsets[1].norm(), GRADIENTS[1] / GRADIENTS[1].norm())


@pytest.mark.parametrize("adaptive", [True, False])
def test_no_gradient_is_not_a_nan(adaptive: bool) -> None:
    offsets = uphill(WEIGHTS, [torch.zeros_like(w) for w in WEIGHTS], 2.0, adaptive=adaptive)
    assert not any(e.any() for e in offsets)


def test_weights_come_back_exactly() -> None:
    weights = [w.clone() for w in WEIGHTS]
    with pytest.raises(RuntimeError, match="test"), moved(weights, [0.1 * g for g in GRADIENTS]):
        torch.testing.assert_close(weights[0], WEIGHTS[0] + 0.1 * GRADIENTS[0])
        raise RuntimeError("test")
    assert all(torch.equal(now, before) for now, before in zip(weights, WEIGHTS, strict=True))


class Quadratic(nn.Module):
    """L = w' H w / 2."""

    def __init__(self) -> None:
        super().__init__()
        root = torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
        self.w = nn.Parameter(torch.tensor([1.0, -2.0, 0.5, 3.0]))
        self.curvature = root @ root.T

    def one_pass(self) -> Metrics:
        loss = 0.5 * self.w @ self.curvature @ self.w
        loss.backward()
        return {"loss": loss.detach()}


def test_gradient_at_the_perturbed_weights() -> None:
    """On a quadratic loss g' = H (w + e), and w is where it was."""
    model = Quadratic()
    w, h = model.w.detach().clone(), model.curvature
    g = h @ w
    with SAM(2.0, adaptive=True)(model, model.one_pass):
        pass
    torch.testing.assert_close(model.w.grad, h @ (w + 2.0 * w**2 * g / (w.abs() * g).norm()), rtol=1e-4, atol=1e-4)
    assert torch.equal(model.w, w)


def test_a_parameter_without_a_gradient_is_left_alone() -> None:
    model = Quadratic()
    model.idle = nn.Parameter(torch.ones(2))
    with SAM(2.0, adaptive=True)(model, model.one_pass):
        pass
    assert model.idle.grad is None
    assert (model.idle == 1).all()


def test_second_pass_leaves_the_running_statistics(trained_net: nn.Module) -> None:
    net, passes = working_copy(trained_net).train(), []

    def one_pass() -> Metrics:
        loss = net(torch.rand(8, 3, 16, 16, generator=GENERATOR)).square().mean()
        loss.backward()
        passes.append(net.bn1.running_mean.clone())
        return {"loss": loss.detach()}

    with SAM(2.0, adaptive=True)(net, one_pass):
        pass
    assert len(passes) == 2
    assert torch.equal(passes[0], passes[1])
    assert net.bn1.num_batches_tracked == trained_net.bn1.num_batches_tracked + 1


def test_paper_is_the_plain_form() -> None:
    assert SAM.paper() == SAM(rho=0.05, adaptive=False)
    with pytest.raises(ValueError, match=r"SAM\.rho = -1"):
        SAM(rho=-1.0)
