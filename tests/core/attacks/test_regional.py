"""The regional attack step by step, its judge, and the comparison with the global one."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.attacks import Regional, compare, global_counterpart, loading_slip, right_for_both
from core.attacks.inputs.regional.regional import FAMILIES
from core.explain import GradCAM
from core.runs import finish
from tests.core.attacks.helpers import linear_case


@pytest.fixture
def case(trained_net, colours):
    """Source, judge, images and labels. The judge is the source with weights a little off: transfer may fail."""
    judge = copy.deepcopy(trained_net)
    generator = torch.Generator().manual_seed(3)
    for weight in judge.parameters():
        weight += 0.15 * weight.std() * torch.randn(weight.shape, generator=generator)
    both = right_for_both(trained_net, judge, colours.pixels, colours.labels)
    assert both.sum() >= 16
    return trained_net, judge, colours.pixels[both][:16], colours.labels[both][:16]


def replay(source, judge, x, y, target, mask, alpha, cap):
    """The algorithm written out for one image: (image, step, success, first step at which the source says c)."""
    now, reached = x.clone(), -1
    for step in range(cap + 1):
        inside = now.clone().requires_grad_(True)
        logits = source(inside)
        if reached < 0 and logits.argmax(1) == target:
            reached = step
        if step and judge(now).argmax(1) != y:
            return now, step, True, reached
        if step == cap:
            return now, step, False, reached
        (slope,) = torch.autograd.grad(F.cross_entropy(logits, target), inside)
        now = (now - mask * alpha * slope.sign()).clamp(0, 1)
    raise AssertionError


@pytest.mark.parametrize("family", ["square", "frame", "random", "attention", "unattended", "global"])
def test_replay_finds_the_same_first_stopping_step(family, case):
    source, judge, images, labels = case
    attack = Regional(family=family, area=0.6, alpha=0.01, steps=40)
    result = finish(attack.run(source, images, labels, judge=judge, seed=3))
    assert result.success.any() and result.steps.unique().numel() > 2  # the reference is not degenerate
    assert result.report["kept"].all()
    for i in range(len(images)):
        at = slice(i, i + 1)
        target, mask = result.report["target"][at], result.report["region"][at][:, None]
        image, step, success, reached = replay(source, judge, images[at], labels[at], target, mask, 0.01, 40)
        torch.testing.assert_close(result.images[at], image, atol=1e-5, rtol=0)
        assert (step, success, reached) == (result.steps[i], result.success[i], result.report["source_steps"][i])
        assert result.source_success[i] == (source(image).argmax(1) == target)
    judged = judge(result.images).argmax(1) != labels
    assert torch.equal(judged, result.success)
    assert (result.norms["linf"] <= result.steps * 0.01 + 1e-6).all()
    assert (result.norms["l0"] <= result.report["pixels"] / 256 + 1e-7).all()
    assert torch.equal(result.queries, result.steps + 1) and torch.equal(result.report["judge_queries"], result.queries)


def test_first_step_moves_exactly_the_pixels_it_may(case):
    source, judge, images, labels = case
    images = images.clone()
    images[:, :, 5:8, 5:8] = 0.0  # the clamp holds those whose step points below zero
    attack = Regional(steps=1, alpha=0.02)
    result = finish(attack.run(source, images, labels, judge=judge, seed=0))
    inside = images.clone().requires_grad_(True)
    F.cross_entropy(source(inside), result.report["target"], reduction="sum").backward()
    wanted = (images - 0.02 * inside.grad.sign()).clamp(0, 1) != images
    assert torch.equal(result.images != images, wanted & result.report["region"][:, None])
    assert not wanted.all()


def test_without_a_judge_the_source_judges_itself(case):
    source, _, images, labels = case
    attack = Regional(steps=60, alpha=0.01)
    alone = finish(attack.run(source, images, labels, seed=1))
    with_itself = finish(attack.run(source, images, labels, judge=source, seed=1))
    assert alone.success.any()
    assert torch.equal(alone.images, with_itself.images) and torch.equal(alone.success, with_itself.success)
    assert torch.equal(alone.success, source(alone.images).argmax(1) != labels)
    assert (alone.report["judge_queries"] == 0).all() and "judge_size" not in alone.report


def test_closed_form_of_the_stopping_step():
    """On the linear model each step inside the region lowers the margin by alpha · ||d||_1 of the region."""
    model, images, margins = linear_case(size=8)
    attack = Regional(family="frame", alpha=0.001, area=0.4)
    labels = torch.zeros(len(images), dtype=torch.long)
    result = finish(attack.run(model, images, labels))
    inside = (model.slope.detach().abs() * result.report["region"][0]).sum()
    expected = torch.floor(margins / (0.001 * inside)).long() + 1
    assert result.success.all() and expected.unique().numel() > 3
    assert torch.equal(result.steps, expected)
    assert (result.report["target"] == 1).all() and torch.equal(result.report["source_steps"], expected)


def test_no_step_never_succeeds(case):
    source, judge, images, labels = case
    result = finish(Regional(alpha=0.0, steps=5).run(source, images, labels, judge=judge))
    assert not result.success.any() and torch.equal(result.images, images) and (result.steps == 5).all()


def test_images_that_were_wrong_before_are_marked(case):
    source, judge, images, labels = case
    wrong = labels.clone()
    wrong[:4] = (wrong[:4] + 1) % 4
    result = finish(Regional(steps=3).run(source, images, wrong, judge=judge))
    assert not result.report["kept"][:4].any() and result.report["kept"][4:].all()
    assert result.success[:4].all() and (result.steps[:4] == 1).all()


def test_targets_depend_on_the_seed_and_not_on_the_family(case):
    source, judge, images, labels = case
    drawn = {
        family: finish(
            Regional(family=family, steps=1).run(source, images, labels, judge=judge, seed=8)
        ).report["target"]
        for family in FAMILIES if family != "drawn"
    }
    first = drawn["square"]
    assert all(torch.equal(target, first) for target in drawn.values()) and (first != labels).all()
    assert torch.equal(first, Regional().targets(source, images, labels, seed=8))
    assert not torch.equal(first, Regional().targets(source, images, labels, seed=9))
    assert set(Regional().targets(source, images, torch.zeros_like(labels), seed=1).tolist()) <= {1, 2, 3}


def test_drawn_region_is_the_mask_and_has_to_be_there(case):
    source, judge, images, labels = case
    mask = torch.zeros(1, 16, 16, dtype=torch.bool)
    mask[:, 2:6, 9:14] = True
    drawn = finish(Regional(family="drawn", steps=8, alpha=0.05).run(source, images, labels, judge=judge, mask=mask))
    assert (drawn.report["pixels"] == 20).all()
    assert not ((drawn.images != images).any(1) & ~mask).any()
    with pytest.raises(ValueError, match="no mask was given"):
        finish(Regional(family="drawn").run(source, images, labels))


def test_attention_region_lies_where_the_source_looks():
    """A net that only reads the upper left corner is attacked there."""

    class Corner(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.conv, self.linear = nn.Conv2d(3, 6, 3, padding=1), nn.Linear(6, 3)
            window = torch.zeros(1, 1, 16, 16)
            window[..., :6, :6] = 1
            self.register_buffer("window", window)

        def forward_features(self, x):
            return torch.relu(self.conv(x)) * self.window

        def forward(self, x):
            return self.linear(self.forward_features(x).mean((2, 3)))

    net = Corner().eval()
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    # The class whose evidence is positive there, so that the corner is warmer than the silent rest.
    evidence = net(images) - net.linear.bias
    labels = evidence.argmax(1)
    assert (evidence.amax(1) > 0).all()
    region = Regional(family="attention", area=0.06).region(net, images, labels)
    assert (region.flatten(1).sum(1) == round(0.06 * 256)).all()
    assert not region[:, 6:].any() and not region[:, :, 6:].any()


def test_judge_of_another_input_size_is_reported(case):
    source, judge, images, labels = case

    class Sized(nn.Module):
        input_size = (3, 20, 20)

        def __init__(self):
            super().__init__()
            self.net, self.seen = judge, set()

        def forward(self, x):
            self.seen.add(tuple(x.shape[2:]))
            return self.net(x)

    sized = Sized()
    result = finish(Regional(steps=3).run(source, images, labels, judge=sized))
    assert sized.seen == {(20, 20)} and result.report["judge_size"] == (20, 20)
    assert right_for_both(source, sized, images, labels).shape == (16,)


def test_models_of_different_classes_are_refused(case):
    source, _, images, labels = case
    other = nn.Sequential(nn.Flatten(), nn.Linear(768, 10))
    with pytest.raises(ValueError, match="source knows 4 classes and the judge 10"):
        finish(Regional().run(source, images, labels, judge=other))
    alone = nn.Sequential(nn.Flatten(), nn.Linear(768, 1))
    with pytest.raises(ValueError, match="one class only"):
        finish(Regional().run(alone, images, torch.zeros_like(labels)))


def test_comparison_is_paired(case):
    source, judge, images, labels = case
    local = Regional(area=0.6, alpha=0.01, steps=40)
    runs = [finish(a.run(source, images, labels, judge=judge, seed=2)) for a in (local, global_counterpart(local))]
    assert global_counterpart(local) == Regional(area=0.6, alpha=0.01, steps=40, family="global")
    found = compare(*runs)
    both = runs[0].success & runs[1].success
    assert 0 < found.n_both == int(both.sum()) and found.n == 16
    assert found.local_rate == runs[0].success.float().mean() and found.global_rate == runs[1].success.float().mean()
    assert found.kept_rate == pytest.approx(found.n_both / found.n_global)
    ratios = (runs[0].norms["l2"][both] / runs[1].norms["l2"][both]).double()
    assert found.ratios["l2"].mean == pytest.approx(float(ratios.mean()), rel=1e-5)
    assert found.ratios["l2"].median == pytest.approx(float(ratios.quantile(0.5)), rel=1e-5)
    assert found.ratios["l2"].lower == pytest.approx(float((ratios < 1).double().mean()))
    assert found.ratios["l0"].mean < 1 and found.ratios["l0"].lower == 1
    low, high = found.ratios["l2"].interval
    assert float(ratios.min()) <= low <= found.ratios["l2"].median <= high <= float(ratios.max())
    with pytest.raises(ValueError, match="differ in images or targets"):
        compare(runs[0], finish(local.run(source, images, labels, judge=judge, seed=3)))
    nothing = finish(Regional(alpha=0.0, steps=1).run(source, images, labels, judge=judge, seed=2))
    empty = compare(nothing, runs[1])
    assert empty.n_both == 0 and math.isnan(empty.ratios["l2"].mean) and empty.local_rate == 0


def test_loading_slip_changes_bright_pixels_only():
    images = torch.tensor([0.2, 0.9]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    slip = loading_slip(images)
    assert slip["l0"] == 0.5
    torch.testing.assert_close(slip["linf"], torch.tensor([0.9 * 255 / 224 - 1]))
    attacked = images.clone()
    attacked[..., 0] -= 0.02  # the dark pixel changes as the attack says, the bright one by the clamp
    both = loading_slip(images, attacked)
    assert both["l0"] == 1 and torch.equal(both["linf"], slip["linf"])
    torch.testing.assert_close(both["l2"], (slip["l2"] ** 2 + 3 * 0.02**2).sqrt())


def test_what_it_looks_at_most_and_least_are_apart(case):
    source, _, images, labels = case
    most, least = (Regional(family=family, area=0.4).region(source, images, labels) for family in
                   ("attention", "unattended"))  # fmt: skip
    assert not (most & least).any() and (most.flatten(1).sum(1) == least.flatten(1).sum(1)).all()
    heat = GradCAM()(source, images, labels)
    assert all(heat[i][most[i]].min() >= heat[i][least[i]].max() for i in range(len(images)))
