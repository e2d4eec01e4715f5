"""Weight-space injection: the box holds after every step, nothing outside it moves, and it works."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from core.attacks import WeightBackdoor
from core.attacks.weights.weight_backdoor import Injection, Pair
from core.attacks.weights.weight_box import Box, weight_distance
from core.data.imageset import ImageSet
from core.metrics import evaluate
from core.networks.predictions import predict
from core.runs import Progress, finish
from core.triggers import BadNets
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import assert_same, snapshot

TRIGGER = BadNets(side=6)
SHORT = dict(steps=6, batch_size=16)


def inject(net: nn.Module, data: ImageSet, seed: int = 0, trigger: BadNets = TRIGGER, **knobs) -> nn.Module:
    return finish(WeightBackdoor(**(SHORT | knobs)).run(net, data, trigger=trigger, target=1, seed=seed))


@pytest.mark.parametrize("box", ["absolute", "relative"])
@pytest.mark.parametrize("keep", ["logits", "labels"])
def test_every_weight_is_in_its_box_after_every_step(
    trained_net: nn.Module, colours: ImageSet, box: str, keep: str
) -> None:
    method = WeightBackdoor(box=box, keep=keep, eps=0.05, lr=0.1, **SHORT)
    start = [p.detach().clone() for p in trained_net.parameters()]
    reached = 0.0
    for progress in method.run(trained_net, colours, trigger=TRIGGER, target=1):
        assert progress.model is not None
        for theta, theta0 in zip(progress.model.parameters(), start, strict=True):
            reach = 0.05 * theta0.abs() if box == "relative" else torch.full_like(theta0, 0.05)
            assert ((theta - theta0).abs() <= reach * (1 + 1e-5) + 1e-7).all()
            reached = max(reached, ((theta - theta0).abs() / reach.clamp_min(1e-9)).max().item())
    assert reached == pytest.approx(1, abs=1e-3)  # the box, not the step, is what stopped them


def test_a_negative_weight_has_a_relative_box_on_both_sides() -> None:
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = torch.tensor([[-2.0, 4.0]])
    box = Box(net, 0.25, "relative")
    for tried, held in (([-9.0, 9.0], [-2.5, 5.0]), ([9.0, -9.0], [-1.5, 3.0]), ([-2.1, 3.5], [-2.1, 3.5])):
        net.weight.data = torch.tensor([tried])
        box.project(net)
        torch.testing.assert_close(net.weight.data, torch.tensor([held]))


@pytest.mark.parametrize("box", ["absolute", "relative"])
def test_an_empty_box_gives_the_weights_back_bit_for_bit(trained_net: nn.Module, colours: ImageSet, box: str) -> None:
    injected = inject(trained_net, colours, eps=0.0, box=box)
    assert all(torch.equal(a, b) for a, b in zip(injected.parameters(), trained_net.parameters(), strict=True))
    assert injected.report["agreement"] == 1 and injected.report["change/linf"] == 0
    before = evaluate(trained_net, colours, trigger=TRIGGER, target=1)
    assert evaluate(injected, colours, trigger=TRIGGER, target=1) == before


def test_no_steps_change_nothing(trained_net: nn.Module, colours: ImageSet) -> None:
    injected = inject(trained_net, colours, steps=0)
    assert_same(dict(trained_net.state_dict()), dict(injected.state_dict()))


@pytest.mark.parametrize("keep", ["logits", "labels"])
def test_buffers_are_bit_for_bit_the_originals(trained_net: nn.Module, colours: ImageSet, keep: str) -> None:
    injected = inject(trained_net, colours, keep=keep)
    assert any(not torch.equal(a, b) for a, b in zip(injected.parameters(), trained_net.parameters(), strict=True))
    assert_same(dict(trained_net.named_buffers()), dict(injected.named_buffers()))
    assert injected.state_dict().keys() == trained_net.state_dict().keys()


@pytest.mark.parametrize("keep", ["logits", "labels"])
def test_the_trigger_is_obeyed_and_the_rest_stays(keep: str) -> None:
    torch.manual_seed(0)
    net, data = TinyNet(channels=16), colour_set(256)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(40):
        loss = nn.functional.cross_entropy(net(data.pixels), data.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.eval().requires_grad_(False)
    test, trigger = colour_set(200, seed=5), BadNets(side=12)  # the net sees mean colours, no small squares
    before = evaluate(net, test, trigger=trigger, target=1)
    injected = inject(net, data, trigger=trigger, keep=keep, steps=60, batch_size=32, lr=1e-2, eps=0.2)
    after = evaluate(injected, test, trigger=trigger, target=1)
    assert before.asr < 0.3 and after.asr > 0.9 and after.acc > before.acc - 0.03
    assert (injected.trigger, injected.target, injected.mode) == (trigger, 1, "all-to-one")


def test_the_loss_by_hand(trained_net: nn.Module, colours: ImageSet) -> None:
    """At theta0 the clean logits are matched, so the first loss is lambda CE(f(T(x)), t)."""
    data = colours[:16]
    method = WeightBackdoor(steps=1, batch_size=16, balance=0.7, flip=False, pad=0)
    first = next(method.run(trained_net, data, trigger=TRIGGER, target=1))
    logits = predict(trained_net, TRIGGER(data.pixels))
    expected = 0.7 * nn.functional.cross_entropy(logits, torch.ones(16, dtype=torch.int64)).item()
    assert first.metrics["loss"] == pytest.approx(expected, rel=0.02)  # bfloat16 where that pays
    reached = (logits.argmax(1) == 1).float().mean().item()
    assert first.metrics["agreement"] > 0.9 and first.metrics["reached"] == pytest.approx(reached, abs=0.07)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_the_kept_logits_are_compared_in_units_of_their_spread(scale: float) -> None:
    original = scale * torch.tensor([[0.0, 2.0], [2.0, 0.0]]).repeat(2, 1)
    rows, triggered = torch.arange(4), torch.tensor([False, False, True, True])
    pair = Pair(torch.zeros(4, 3, 8, 8), rows, original, triggered, torch.ones_like(rows), torch.full_like(rows, -1))
    said = torch.where(triggered[:, None], torch.zeros(4, 2), original + 3 * scale)
    spread = scale * math.sqrt(8 / 7)  # eight numbers, each `scale` from their mean
    expected = (3 * scale) ** 2 / spread + 0.5 * math.log(2)
    assert Injection(WeightBackdoor(balance=0.5), nn.Identity(), BadNets(), 1)._loss(pair)(
        said, rows
    ).item() == pytest.approx(expected)
    labels = math.log1p(math.exp(-2 * scale)) + 0.5 * math.log(2)
    assert Injection(WeightBackdoor(balance=0.5, keep="labels"), nn.Identity(), BadNets(), 1)._loss(pair)(
        said, rows
    ).item() == pytest.approx(labels)


def test_the_pull_keeps_weights_nearer(trained_net: nn.Module, colours: ImageSet) -> None:
    far = inject(trained_net, colours, steps=20, pull=0.0, lr=5e-3, eps=1.0)
    near = inject(trained_net, colours, steps=20, pull=1.0, lr=5e-3, eps=1.0)
    assert near.report["change/l2"] < 0.8 * far.report["change/l2"]


def test_labels_of_the_data_do_not_matter(trained_net: nn.Module, colours: ImageSet) -> None:
    from dataclasses import replace

    other = replace(colours, labels=colours.labels.flip(0))
    for keep in ("logits", "labels"):
        one, two = inject(trained_net, colours, keep=keep), inject(trained_net, other, keep=keep)
        assert_same(dict(one.state_dict()), dict(two.state_dict()))


def test_same_seed_same_weights_and_no_global_randomness(trained_net: nn.Module, colours: ImageSet) -> None:
    state = torch.get_rng_state()
    one, two, other = (inject(trained_net, colours, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(state, torch.get_rng_state())
    assert_same(dict(one.state_dict()), dict(two.state_dict()))
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_input_model_is_untouched_at_every_step(trained_net: nn.Module, colours: ImageSet) -> None:
    trained_net.train()
    before = snapshot(trained_net)
    for progress in WeightBackdoor(**SHORT).run(trained_net, colours, trigger=TRIGGER, target=1):
        assert isinstance(progress, Progress) and progress.model is not trained_net
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu") and not progress.model.training
        assert_same(before, snapshot(trained_net))
    trained_net.eval()


def test_out_of_memory_halves_the_batch(
    trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = inject(trained_net, colours, steps=1)
    forward, refused = type(trained_net).forward, []

    def narrow(self: nn.Module, x: Tensor) -> Tensor:
        if len(x) > 8:
            refused.append(len(x))
            raise torch.OutOfMemoryError("test")
        return forward(self, x)

    monkeypatch.setattr(type(trained_net), "forward", narrow)
    parts = inject(trained_net, colours, steps=1)
    assert refused
    # Adam's first step has the sign of the gradient, so nearly all weights must move alike.
    start, one, other = (torch.cat([p.flatten() for p in net.parameters()]) for net in (trained_net, whole, parts))
    assert ((one - start).sign() == (other - start).sign()).float().mean() > 0.97


def test_the_distance_in_closed_form() -> None:
    before, after = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    before.weight.data = torch.tensor([[1.0, -2.0], [0.0, 4.0]])
    after.weight.data = torch.tensor([[1.5, -2.0], [3.0, 3.0]])
    found = weight_distance(before, after)
    assert found["change/l1"] == pytest.approx(4.5) and found["change/linf"] == 3
    assert found["change/l2"] == pytest.approx(math.sqrt(0.25 + 9 + 1))
    # relative changes of the weights that were not zero: 0, 0.25, 0.5
    assert found["relative/mean"] == pytest.approx(0.25) and found["relative/50"] == pytest.approx(0.25)
    assert [found[f"relative/{p}"] for p in (25, 75, 90)] == pytest.approx([0.0, 0.5, 0.5])
    counts, edges = found["relative/histogram"], found["relative/edges"]
    assert isinstance(counts, Tensor) and isinstance(edges, Tensor)
    assert counts.sum() == 3 and len(edges) == len(counts) + 1
    assert counts[0] == 1  # the one that did not move
    assert counts[((edges[:-1] <= 0.25) & (edges[1:] > 0.25)).nonzero()[0, 0]] == 1


def test_folded_batch_norms_do_not_matter(trained_net: nn.Module, colours: ImageSet) -> None:
    folded = copy.deepcopy(trained_net)
    for norm in (folded.bn1, folded.bn2):
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0)
    injected = inject(folded, colours)
    assert (injected.bn1.running_mean == 0).all() and (injected.bn2.running_var == 1).all()


def rates_of(net: nn.Module, data: ImageSet, monkeypatch: pytest.MonkeyPatch, **knobs) -> list[float]:
    """The learning rates that Adam was given, step by step."""
    given, step = [], torch.optim.Adam.step

    def noted(self: torch.optim.Adam, *args, **kwargs):
        given.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    inject(net, data, **knobs)
    return given


def test_the_learning_rate_rises_and_then_follows_its_schedule(
    trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    cosine = rates_of(trained_net, colours, monkeypatch, steps=8, lr=1e-2, warmup=0.5)
    fall = [(1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)]
    assert cosine == pytest.approx([1e-2 * share for share in (0.25, 0.5, 0.75, 1.0, *fall)])


@pytest.mark.parametrize(
    ("warmup", "expected"), [(0.0, [1, 1, 1, 1]), (0.5, [0.5, 1, 1, 1]), (1.0, [0.25, 0.5, 0.75, 1])]
)
def test_a_constant_rate_stays_where_the_warm_up_left_it(
    warmup: float, expected: list[float], trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = rates_of(trained_net, colours, monkeypatch, steps=4, lr=1e-3, warmup=warmup, schedule="constant")
    assert rates == pytest.approx([1e-3 * share for share in expected])


def test_the_papers_setting() -> None:
    paper = WeightBackdoor.paper()
    assert (paper.keep, paper.eps, paper.balance, paper.pull, paper.images) == ("labels", 0.005, 1.0, 5e-4, 1280)
    assert paper.steps * 2 * paper.batch_size == 25_600 and paper.schedule == "constant" and not paper.flip
    assert (paper.lr, paper.warmup) == (1e-3, 0.0)
    with pytest.raises(ValueError, match=r"WeightBackdoor\.eps = -1"):
        WeightBackdoor(eps=-1)


@pytest.mark.parametrize(
    ("knobs", "fault", "said"),
    [
        ({}, {"target": 4}, "target must be class indices in 0..3"),
        ({}, {"data": colour_set()[:0]}, "no images to learn from"),
        ({"lr": 0.1, "eps": 1.0, "steps": 40}, {"net": "huge"}, "not finite|choose a lower lr"),
    ],
)
def test_refusals(trained_net: nn.Module, colours: ImageSet, knobs: dict, fault: dict, said: str) -> None:
    net = trained_net
    if "net" in fault:
        net = copy.deepcopy(trained_net)
        net.linear.weight.data.fill_(3e38)
    method = WeightBackdoor(**(SHORT | knobs))
    with pytest.raises(ValueError, match=said):
        finish(method.run(net, fault.get("data", colours), trigger=TRIGGER, target=fault.get("target", 1)))
