"""What holds for every registered attack."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from core.attacks import ATTACKS
from core.knobs import knobs_of
from core.runs import Progress, finish
from tests.core.attacks.helpers import linear_case, two_nets

BALL = [attack for attack in ATTACKS if "eps" in {k.name for k in knobs_of(attack)}]
BUDGETED = [attack for attack in ATTACKS if {"eps", "alpha"} & {k.name for k in knobs_of(attack)}]
"""Those that can be told to change nothing; the others look for the smallest change."""
DETERMINISTIC = {"random_start": False}


def small(attack, **values):
    """The attack with few steps, and `values` for the knobs it has."""
    names = {k.name for k in knobs_of(attack)}
    wanted = {"steps": 4, "rounds": 2, "c": 10.0, "lr": 0.4, "queries": 20, "targets": 2, **values}
    return attack(**{name: value for name, value in wanted.items() if name in names})


def named(attacks):
    return pytest.mark.parametrize("attack", attacks, ids=[a.__name__ for a in attacks])


@pytest.fixture
def case(trained_net, colours):
    return trained_net, colours.pixels[:12], colours.labels[:12]


@named(ATTACKS)
def test_result_has_the_contract_s_fields(attack, case):
    net, images, labels = case
    result = finish(small(attack).run(net, images, labels))
    assert result.images.shape == images.shape and result.images.dtype == images.dtype
    assert ((result.images >= 0) & (result.images <= 1)).all()
    for mark in (result.success, result.source_success):
        assert mark.dtype == torch.bool and mark.shape == (12,)
    assert set(result.norms) == {"l0", "l2", "linf"} and all(v.shape == (12,) for v in result.norms.values())
    assert result.steps.shape == result.queries.shape == (12,) and (result.queries > 0).all()
    change = result.images - images
    torch.testing.assert_close(result.norms["l2"], change.flatten(1).norm(dim=1))
    torch.testing.assert_close(result.norms["linf"], change.abs().flatten(1).amax(1))
    torch.testing.assert_close(result.norms["l0"], (change != 0).any(1).float().mean((1, 2)))


@named(BALL)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_stays_in_the_ball(attack, norm, case):
    net, images, labels = case
    if norm == "l2" and "norm" not in {k.name for k in knobs_of(attack)}:
        pytest.skip("this attack knows one norm only")
    eps = {"linf": 0.2, "l2": 4.0}[norm]  # enough to succeed: some attacks return an image that stands as it was
    result = finish(small(attack, norm=norm, eps=eps, alpha=0.6 * eps).run(net, images, labels))
    assert (result.norms[norm] <= eps + 1e-6).all() and (result.norms[norm] > 0).any()


@named(BALL)
def test_each_image_has_its_own_budget(attack, case):
    net, images, labels = case
    eps = torch.linspace(0, 0.3, 12)
    result = finish(small(attack, eps=0.9, alpha=0.1).run(net, images, labels, eps=eps))
    assert (result.norms["linf"] <= eps + 1e-6).all() and (result.norms["linf"] > 0.2).any()
    alone = finish(small(attack, eps=0.3, alpha=0.1).run(net, images[-1:], labels[-1:]))
    if "random_start" not in {k.name for k in knobs_of(attack)}:
        torch.testing.assert_close(result.images[-1:], alone.images, atol=1e-6, rtol=0)
    for wrong in (eps[:5], -eps, eps + torch.inf):
        with pytest.raises(ValueError, match="one budget per image"):
            finish(small(attack).run(net, images, labels, eps=wrong))


@named(BUDGETED)
def test_zero_budget_changes_no_bit(attack, case):
    net, images, labels = case
    for values in ({"norm": "linf"}, {"norm": "l2"}):
        result = finish(small(attack, eps=0.0, **({} if attack in BALL else {"alpha": 0.0}), **values).run(
            net, images, labels
        ))
        assert torch.equal(result.images, images)
        assert torch.equal(result.success, net(images).argmax(1) != labels)


@named(ATTACKS)
def test_model_is_left_as_it_was(attack, case):
    net, images, labels = case
    net = copy.deepcopy(net).train()
    net.bn1.eval()
    net.requires_grad_(True)
    net.linear.bias.requires_grad_(False)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    flags = [parameter.requires_grad for parameter in net.parameters()]

    def assert_as_it_was():
        assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
        assert [module.training for module in net.modules()] == modes
        assert [parameter.requires_grad for parameter in net.parameters()] == flags
        assert all(parameter.grad is None for parameter in net.parameters())
        assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()

    run = small(attack).run(net, images, labels)
    kept = images.clone()
    for progress in run:
        assert isinstance(progress, Progress) and 1 <= progress.step <= progress.total
        assert_as_it_was()  # at every yield, so that closing the run there leaves nothing behind
    assert_as_it_was()
    assert torch.equal(images, kept) and not images.requires_grad

    stopped = small(attack).run(net, images, labels)
    next(stopped)
    stopped.close()
    assert_as_it_was()


@named(ATTACKS)
def test_same_seed_same_result(attack, case):
    net, images, labels = case
    torch.manual_seed(1)
    first = finish(small(attack).run(net, images, labels, seed=5))
    torch.manual_seed(2)
    second = finish(small(attack).run(net, images, labels, seed=5))
    assert torch.equal(first.images, second.images) and torch.equal(first.success, second.success)


@named(ATTACKS)
def test_one_by_one_equals_the_batch(attack, case):
    net, images, labels = case
    target = (labels + 1) % 4  # fixed, since a drawn target depends on the place in the batch
    method = small(attack, **DETERMINISTIC)
    batch = finish(method.run(net, images, labels, target=target))
    for i in range(4):
        at = slice(i, i + 1)
        single = finish(method.run(net, images[at], labels[at], target=target[at]))
        torch.testing.assert_close(single.images, batch.images[at], atol=1e-6, rtol=0)
        assert single.success == batch.success[at]


@named(ATTACKS)
def test_aiming_at_the_present_prediction_succeeds(attack, case):
    net, images, labels = case
    result = finish(small(attack, **DETERMINISTIC).run(net, images, labels, target=net(images).argmax(1)))
    assert result.source_success.all()


@named(ATTACKS)
def test_success_with_a_target_means_that_it_is_reached(attack, case):
    net, images, labels = case
    target = (labels + 1) % 4
    method = small(attack, eps=0.4, alpha=0.1, steps=12, queries=100)
    result = finish(method.run(net, images, labels, target=target))
    assert torch.equal(net(result.images).argmax(1) == target, result.source_success)
    assert result.source_success.any() or attack.__name__ == "FGSM"  # a single step need not get there


@named(ATTACKS)
def test_two_classes_are_enough(attack):
    model, images, _ = linear_case(3)
    labels = torch.zeros(3, dtype=torch.long)
    result = finish(small(attack, eps=0.3, alpha=0.1).run(model, images, labels))
    assert result.success.any() and torch.equal(model(result.images).argmax(1) != labels, result.success)


@named(ATTACKS)
def test_pixels_outside_the_mask_are_bit_identical(attack, case):
    net, images, labels = case
    generator = torch.Generator().manual_seed(0)
    for mask in (torch.zeros(1, 16, 16, dtype=torch.bool), torch.rand(12, 16, 16, generator=generator) < 0.3):
        mask[:, 3:6, 2:9] = True
        result = finish(small(attack).run(net, images, labels, mask=mask))
        outside = ~mask[:, None].expand_as(images)
        assert torch.equal(result.images[outside], images[outside])
        reached = result.success & (net(images).argmax(1) == labels)
        assert (result.images != images).any() or not reached.any()  # the smallest change that fails is none
        assert (result.norms["l0"] <= mask.float().mean((1, 2)) + 1e-7).all()


@named(ATTACKS)
def test_pictures_show_the_first_image(attack, case):
    net, images, labels = case
    shown = [p for p in small(attack).run(net, images, labels) if p.images]
    assert shown and {"adversarial", "perturbation"} <= set(shown[0].images)
    assert all(v.shape == (3, 16, 16) and v.min() >= 0 and v.max() <= 1 for p in shown for v in p.images.values())
    assert shown[0].metrics["magnification"] > 0
    now = shown[0].images
    drawn = 0.5 + shown[0].metrics["magnification"] * (now["adversarial"] - images[0])
    torch.testing.assert_close(now["perturbation"], drawn, atol=1e-5, rtol=0)


@named(ATTACKS)
def test_splitting_for_memory_changes_nothing(attack, case):
    net, images, labels = case
    whole = finish(small(attack).run(net, images, labels, seed=1))

    class Small(nn.Module):
        """Has memory for five images."""

        def __init__(self):
            super().__init__()
            self.net, self.refused = net, 0

        def forward(self, x):
            if len(x) > 5:
                self.refused += 1
                raise torch.OutOfMemoryError("out of memory")
            return self.net(x)

    tight = Small()
    run, steps = small(attack).run(tight, images, labels, seed=1), []
    while True:
        try:
            progress = next(run)
        except StopIteration as end:
            split = end.value
            break
        assert 1 <= progress.step <= progress.total
        steps.append(progress.step)
    assert tight.refused and len(steps) > 1
    torch.testing.assert_close(split.images, whole.images, atol=1e-6, rtol=0)
    assert torch.equal(split.success, whole.success)


@named(ATTACKS)
@pytest.mark.parametrize(
    "fault, words",
    [
        (dict(labels=torch.full((12,), 4)), "labels must be class indices in 0..3"),
        (dict(labels=torch.zeros(3, dtype=torch.long)), "labels must be one class index per image"),
        (dict(target=-1), "target must be class indices"),
        (dict(target=torch.full((12,), 9)), "target must be class indices"),
        (dict(mask=torch.ones(1, 8, 8, dtype=torch.bool)), "mask must be bool"),
        (dict(mask=torch.ones(16, 16, dtype=torch.bool)), "mask must be bool"),
        (dict(mask=torch.ones(1, 16, 16)), "mask must be bool"),
        (dict(images=torch.rand(12, 3, 16, 16) + 0.5), r"lie in \[0, 1\]"),
        (dict(images=torch.full((12, 3, 16, 16), torch.nan)), r"lie in \[0, 1\]"),
        (dict(images=torch.zeros(12, 3, 16, 16, dtype=torch.uint8)), "Images must be float"),
        (dict(images=torch.zeros(0, 3, 16, 16)), "no images"),
    ],
)
def test_refuses_in_one_sentence(attack, fault, words, case):
    net, images, labels = case
    given = dict(images=images, labels=labels) | fault
    with pytest.raises(ValueError, match=words):
        finish(small(attack).run(net, given.pop("images"), given.pop("labels"), **given))


@named(ATTACKS)
def test_refuses_a_model_with_broken_weights(attack, case):
    net, images, labels = case
    broken = copy.deepcopy(net)
    broken.linear.weight.data[2, 0] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        finish(small(attack).run(broken, images, labels))


@named(ATTACKS)
def test_double_precision_model_is_followed(attack):
    net, _ = two_nets()
    result = finish(small(attack).run(net.double(), torch.rand(3, 3, 12, 12), torch.tensor([0, 1, 2])))
    assert result.images.dtype == torch.float64


@named(BALL)
def test_more_budget_never_helps_the_defender(attack):
    model, images, _ = linear_case()
    labels = torch.zeros(len(images), dtype=torch.long)
    rates = [
        finish(small(attack, eps=eps, alpha=eps / 3, **DETERMINISTIC).run(model, images, labels)).success.float().mean()
        for eps in (0.0, 0.005, 0.02, 0.1)
    ]
    assert rates == sorted(rates) and rates[0] == 0 and rates[-1] > 0


@named(ATTACKS)
def test_works_under_a_caller_s_no_grad(attack, case):
    net, images, labels = case
    with torch.no_grad():
        result = finish(small(attack, eps=0.2).run(net, images, labels))
    assert (result.images != images).any()


def test_out_of_range_knob_is_refused():
    for attack in BALL:
        with pytest.raises(ValueError, match="eps"):
            dataclasses.replace(attack(), eps=-0.1)
