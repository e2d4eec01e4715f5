"""The attacks against torchattacks and foolbox, on the same images and the same net."""

import pytest
import torch
from torch import nn

from core.attacks import APGD, APGDT, FAB, FGSM, MIFGSM, PGD, AutoAttack, CarliniWagner, DeepFool, Square
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


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("loss", ["ce", "dlr", "targeted"])
def test_auto_pgd(case, loss, norm):
    """One image at a time: the oracle draws a start for each image of a batch, ours shares it."""
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = case
    eps, steps = {"linf": 1.5 / 255, "l2": 0.1}[norm], 25
    shared = dict(eps=eps, norm={"linf": "Linf", "l2": "L2"}[norm], steps=steps, seed=4)
    if loss == "targeted":
        oracle = torchattacks.APGDT(net, **shared, n_classes=4)  # three classes are aimed at
        mine = APGDT(norm=norm, eps=eps, steps=steps, targets=3, stop_early=False)
    else:
        oracle = torchattacks.APGD(net, **shared, loss=loss)
        mine = APGD(norm=norm, eps=eps, steps=steps, loss=loss, stop_early=False)
    hits = 0
    for i in range(3):
        x, y = images[i : i + 1], labels[i : i + 1]
        found = finish(mine.run(net, x, y, seed=4))
        torch.testing.assert_close(found.images, oracle(x, y), atol={"linf": 1e-6, "l2": 1e-3}[norm], rtol=0)
        hits += int(found.success)
    assert hits > 0, "no success would prove nothing"


@pytest.fixture(scope="module")
def single(case):
    """The same net in float32, which the oracles below ask for."""
    torch.manual_seed(0)
    net, images, _ = case
    twin = nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(16 * 7 * 7, 10),
    ).eval()
    twin.load_state_dict(net.state_dict())
    return twin, images.float(), twin(images.float()).argmax(1)


@pytest.mark.parametrize(
    ("norm", "targeted"), [("linf", True), ("linf", False), ("l2", True), ("l2", False), ("l1", False)]
)
def test_fab(single, norm, targeted):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = (part[:4] if isinstance(part, torch.Tensor) else part for part in single)
    mine = finish(FAB(norm=norm, steps=20, targets=9, targeted=targeted).run(net, images, labels))
    name = norm.replace("l", "L")
    oracle = torchattacks.FAB(net, norm=name, eps=1e3, steps=20, multi_targeted=targeted, n_classes=10)
    # Its comparison with eps knows no L1, so that a single run is asked for.
    found = oracle.attack_single_run(images, labels) if norm == "l1" else oracle(images, labels)
    order = {"linf": torch.inf, "l2": 2, "l1": 1}[norm]
    ours, theirs = (torch.linalg.vector_norm((x - images).flatten(1), order, dim=1) for x in (mine.images, found))
    assert mine.success.all() and (theirs > 0).all()
    assert ours.mean() <= 1.01 * theirs.mean()
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0.05)


@pytest.mark.parametrize(("norm", "eps"), [("linf", 1.2 / 255), ("l2", 0.08)])
def test_square(single, norm, eps):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = single
    mine = finish(Square(norm=norm, eps=3 * eps, queries=100).run(net, images, labels))
    oracle = torchattacks.Square(net, norm=norm.replace("l", "L"), eps=3 * eps, n_queries=100)
    theirs = net(oracle(images, labels)).argmax(1) != labels
    assert 0.1 < theirs.float().mean() < 1
    assert mine.success.sum() >= theirs.sum() - 3  # other draws


@pytest.mark.parametrize(("norm", "eps"), [("linf", 1.1 / 255), ("l2", 0.07)])
def test_auto_attack(single, norm, eps):
    torchattacks = pytest.importorskip("torchattacks")
    net, images, labels = (part[:10] if isinstance(part, torch.Tensor) else part for part in single)
    mine = finish(AutoAttack(norm=norm, eps=eps, steps=15, queries=100).run(net, images, labels))
    oracle = torchattacks.AutoAttack(net, norm=norm.replace("l", "L"), eps=eps, seed=0)
    for attack, steps in zip(oracle._autoattack.attacks, (15, 15, 15, None), strict=True):
        attack.steps, attack.n_queries = steps, 100
    broken = int((net(oracle(images, labels)).argmax(1) != labels).sum())
    assert 0 < broken < len(images)
    assert abs(int(mine.success.sum()) - broken) <= 1
