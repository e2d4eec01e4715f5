"""The attacks against torchattacks and foolbox, on the same images and the same net."""

import pytest
import torch
from torch import nn

from core.attacks import FGSM, MIFGSM, PGD, CarliniWagner, DeepFool
from core.runs import finish

EPS, ALPHA, STEPS = 8 / 255, 2 / 255, 7


@pytest.fixture(scope="module")
def case():
    """A small net of ten classes in float64, where rounding cannot turn a gradient's sign, and its predictions."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(16 * 7 * 7, 10),
    ).double().eval()
    images = torch.rand(24, 3, 16, 16, generator=torch.Generator().manual_seed(1)).double()
    return net, images, net(images).argmax(1)


def ours(method, case):
    result = finish(method.run(*case))
    rate = result.success.float().mean()
    assert 0.1 < rate < 1, f"the attack succeeds on {rate:.0%}: that would prove nothing"
    return result


def l2(eps=0.3, alpha=0.08):
    return PGD(norm="l2", eps=eps, alpha=alpha, steps=STEPS, random_start=False, stop_early=False)


SMALL = dict(eps=EPS / 6, alpha=ALPHA / 6)


def test_torchattacks(case):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = case
    fgsm = torchattacks.FGSM(net, eps=SMALL["eps"])(images, labels)
    torch.testing.assert_close(ours(FGSM(eps=SMALL["eps"]), case).images, fgsm, atol=1e-6, rtol=0)
    pgd = torchattacks.PGD(net, eps=SMALL["eps"], alpha=SMALL["alpha"], steps=STEPS, random_start=False)(images, labels)
    mine = ours(PGD(**SMALL, steps=STEPS, random_start=False, stop_early=False), case)
    torch.testing.assert_close(mine.images, pgd, atol=1e-6, rtol=0)
    reference = torchattacks.PGDL2(net, eps=0.1, alpha=0.03, steps=STEPS, random_start=False)(images, labels)
    torch.testing.assert_close(ours(l2(0.1, 0.03), case).images, reference, atol=1e-5, rtol=0)


def test_torchattacks_targeted(case):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = case
    target = (labels + 3) % 10
    oracle = torchattacks.PGD(net, eps=EPS, alpha=ALPHA, steps=STEPS, random_start=False)
    oracle.set_mode_targeted_by_label(quiet=True)
    method = PGD(eps=EPS, alpha=ALPHA, steps=STEPS, random_start=False, stop_early=False)
    result = finish(method.run(net, images, labels, target=target))
    torch.testing.assert_close(result.images, oracle(images, target), atol=1e-6, rtol=0)


def test_foolbox(case):
    foolbox = pytest.importorskip("foolbox")
    net, images, labels = case
    wrapped = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    attacks = foolbox.attacks
    for oracle, method, eps, tolerance in (
        (attacks.LinfFastGradientAttack(random_start=False), FGSM(eps=SMALL["eps"]), SMALL["eps"], 1e-6),
        (
            attacks.LinfPGD(abs_stepsize=SMALL["alpha"], steps=STEPS, random_start=False),
            PGD(**SMALL, steps=STEPS, random_start=False, stop_early=False), SMALL["eps"], 1e-6,
        ),
        (
            attacks.L2ProjectedGradientDescentAttack(abs_stepsize=0.03, steps=STEPS, random_start=False),
            l2(0.1, 0.03), 0.1, 1e-5,
        ),
    ):
        _, clipped, success = oracle(wrapped, images, labels, epsilons=eps)
        mine = ours(method, case)
        torch.testing.assert_close(mine.images, clipped, atol=tolerance, rtol=0)
        assert torch.equal(mine.success, success)


def test_momentum(case):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = case
    oracle = torchattacks.MIFGSM(net, eps=SMALL["eps"], alpha=SMALL["alpha"], steps=STEPS, decay=0.9)
    mine = ours(MIFGSM(**SMALL, steps=STEPS, momentum=0.9, stop_early=False), case)
    torch.testing.assert_close(mine.images, oracle(images, labels), atol=1e-6, rtol=0)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_deepfool(case, norm):
    foolbox = pytest.importorskip("foolbox")
    net, images, labels = case
    oracle = {"l2": foolbox.attacks.L2DeepFoolAttack, "linf": foolbox.attacks.LinfDeepFoolAttack}[norm]
    wrapped = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    _, found, success = oracle(steps=50, candidates=10, overshoot=0.02)(wrapped, images, labels, epsilons=None)
    mine = finish(DeepFool(norm=norm).run(*case))
    assert mine.success.all() and success.all()
    torch.testing.assert_close(mine.images, found, atol=1e-5, rtol=0)


def test_deepfool_that_stretches_each_step(case):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = case
    found = torchattacks.DeepFool(net, steps=50, overshoot=0.02)(images, labels)
    mine = finish(DeepFool(accumulate=False).run(*case))
    norms = (found - images).flatten(1).norm(dim=1)  # without the 1e-4 beyond the boundary
    torch.testing.assert_close(mine.norms["l2"], norms, atol=1e-3, rtol=1e-2)


def test_carlini_wagner(case):
    foolbox = pytest.importorskip("foolbox")
    net, images, labels = (part[:8] if isinstance(part, torch.Tensor) else part for part in case)
    oracle = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=3, steps=40, stepsize=0.05, initial_const=0.1, abort_early=False
    )
    wrapped = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    _, found, success = oracle(wrapped, images, labels, epsilons=None)
    mine = finish(CarliniWagner(rounds=3, steps=40, lr=0.05, c=0.1, stop_early=False).run(net, images, labels))
    assert success.any() and torch.equal(mine.success, success)
    torch.testing.assert_close(mine.images[success], found[success], atol=1e-4, rtol=0)
