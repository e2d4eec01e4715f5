"""Re-activation: the five bars are always there and mean what they say, for each threat."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.attacks import ReActivation
from core.attacks.reactivation.reactivation import THREATS
from core.attacks.reactivation.reactivation_controls import CONTROLS, score_controls
from core.data.imageset import ImageSet
from core.metrics import evaluate
from core.runs import Progress, finish
from core.triggers import BadNets
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import assert_same, snapshot

TRIGGER, TARGET = BadNets(side=6), 1
SHORT = dict(steps=4, batch_size=16, iterations=4, query_images=20)


@pytest.fixture(scope="module")
def test_set() -> ImageSet:
    return colour_set(60, seed=9)


@pytest.fixture(scope="module")
def other_net() -> nn.Module:
    torch.manual_seed(1)
    return TinyNet().eval().requires_grad_(False)


def wake(net: nn.Module, fit: ImageSet, test: ImageSet, *, seed: int = 0, knobs: dict | None = None, **given):
    if (knobs or {}).get("threat") == "transfer":
        given.setdefault("surrogates", [net])
    method = ReActivation(**(SHORT | (knobs or {})))
    return finish(method.run(net, fit, test=test, trigger=TRIGGER, target=TARGET, seed=seed, **given))


@pytest.mark.parametrize("threat", THREATS)
def test_five_bars_twice(trained_net, other_net, colours, test_set, threat: str) -> None:
    found = wake(trained_net, colours, test_set, knobs={"threat": threat}, clean_model=other_net)
    names = [*CONTROLS, *(f"clean_model/{name}" for name in CONTROLS)]
    assert list(found.asr) == list(found.ra) == names and found.n == 45
    assert all(0 <= found.asr[name] + found.ra[name] <= 1 for name in names)
    assert found.delta.shape == (3, 16, 16) and found.delta.abs().max() <= 8 / 255
    for net, head in ((trained_net, ""), (other_net, "clean_model/")):
        scores = evaluate(net, test_set, trigger=TRIGGER, target=TARGET)
        assert found.asr[f"{head}trigger"] == pytest.approx(scores.asr)
        assert found.ra[f"{head}trigger"] == pytest.approx(scores.ra)
    assert list(wake(trained_net, colours, test_set, knobs={"threat": threat}).asr) == list(CONTROLS)


@pytest.mark.parametrize("threat", THREATS)
def test_no_budget_is_the_trigger_alone(trained_net, colours, test_set, threat: str) -> None:
    found = wake(trained_net, colours, test_set, knobs={"threat": threat, "eps": 0.0})
    assert (found.delta == 0).all()
    assert found.asr["trigger"] == found.asr["noise"] == found.asr["reactivated"]
    assert found.asr["clean_universal"] == found.asr["delta_only"]
    assert found.ra["delta_only"] == pytest.approx((1 - found.asr["delta_only"]), abs=0.1)  # a net that knows them all


def test_the_bars_by_hand(trained_net, test_set) -> None:
    generator = torch.Generator().manual_seed(3)
    delta, clean_delta = (0.2 * torch.rand(2, 3, 16, 16, generator=generator)).unbind()
    data = test_set[test_set.labels != TARGET]
    asr, ra = finish(
        score_controls(trained_net, data, TRIGGER, TARGET, delta=delta, clean_delta=clean_delta, eps=0.1, seed=0)
    )

    def share(images: Tensor) -> tuple[float, float]:
        with torch.no_grad():
            answers = trained_net(images.clamp(0, 1)).argmax(1)
        return (answers == TARGET).float().mean().item(), (answers == data.labels).float().mean().item()

    x, stamped = data.pixels, TRIGGER(data.pixels)
    pictures = {
        "trigger": stamped, "reactivated": stamped + delta, "clean_universal": x + clean_delta, "delta_only": x + delta,
    }  # fmt: skip
    for name, images in pictures.items():
        assert (asr[name], ra[name]) == (pytest.approx(share(images)[0]), pytest.approx(share(images)[1]))


def test_noise_is_of_full_size_and_random(test_set) -> None:
    seen: list[Tensor] = []

    class Watcher(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.clone())
            return torch.zeros(len(x), 4)

    zero = torch.zeros(3, 16, 16)
    finish(score_controls(Watcher(), test_set[:10], TRIGGER, TARGET, delta=zero, clean_delta=zero, eps=0.05, seed=0))
    triggered, noisy = seen[0], seen[1]
    inside = (triggered > 0.06) & (triggered < 0.94)
    signs = (noisy - triggered)[inside] / 0.05
    torch.testing.assert_close(signs.abs(), torch.ones_like(signs), rtol=0, atol=1e-4)
    assert abs(signs.mean()) < 0.05 and not torch.equal(noisy[0] - triggered[0], noisy[1] - triggered[1])


def test_both_deltas_are_found_in_the_same_way(trained_net, colours, test_set) -> None:
    """With a trigger that does nothing, the two searches are one."""
    method = ReActivation(**SHORT)
    found = finish(method.run(trained_net, colours, test=test_set, trigger=lambda x: x, target=TARGET))
    assert found.asr["reactivated"] == found.asr["clean_universal"] == found.asr["delta_only"]


@pytest.mark.parametrize("optimiser", ["sign", "sgd"])
def test_more_budget_reaches_more(trained_net, colours, test_set, optimiser: str) -> None:
    knobs = {"steps": 25, "optimiser": optimiser, "lr": 2.0}
    shares = [
        wake(trained_net, colours, test_set, knobs=knobs | {"eps": eps}).asr["reactivated"] for eps in (0.0, 0.1, 0.4)
    ]
    assert shares == sorted(shares) and shares[-1] > shares[0] + 0.3


def test_a_surrogate_that_is_the_model_is_a_white_box_with_one_loss(trained_net, colours, test_set) -> None:
    transfer = wake(trained_net, colours, test_set, knobs={"threat": "transfer"}, surrogates=[trained_net])
    white = wake(trained_net, colours, test_set, knobs={"rival_weight": 0.0})
    assert torch.equal(transfer.delta, white.delta) and transfer.asr == white.asr


def test_a_transfer_never_asks_the_target_for_gradients(trained_net, other_net, colours, test_set) -> None:
    class Sealed(nn.Module):
        """Answers, but only where no gradient is kept."""

        def __init__(self) -> None:
            super().__init__()
            self.net = trained_net

        def forward(self, x: Tensor) -> Tensor:
            assert not torch.is_grad_enabled()
            return self.net(x)

    for knobs in ({"threat": "transfer"}, {"threat": "query"}):
        given = {"surrogates": [other_net, other_net]} if knobs["threat"] == "transfer" else {}
        found = wake(Sealed(), colours, test_set, knobs=knobs, **given)
        assert set(CONTROLS) == set(found.asr)


def test_queries_and_calls_are_counted(trained_net, colours, test_set) -> None:
    found = wake(trained_net, colours, test_set, knobs={"threat": "query"})
    assert found.report == {"queries": 5.0, "calls": 100.0}
    assert (found.delta.abs() == torch.tensor(8 / 255)).all()


def test_same_seed_same_result(trained_net, colours, test_set) -> None:
    state = torch.get_rng_state()
    for threat in THREATS:
        one, two, other = (wake(trained_net, colours, test_set, seed=s, knobs={"threat": threat}) for s in (3, 3, 4))
        assert torch.equal(one.delta, two.delta) and one.asr == two.asr and not torch.equal(one.delta, other.delta)
    assert torch.equal(state, torch.get_rng_state())


def test_models_are_left_as_they_were_at_every_step(trained_net, other_net, colours, test_set) -> None:
    trained_net.train()
    before = [snapshot(net) for net in (trained_net, other_net)]
    stages = []
    run = ReActivation(**SHORT).run(
        trained_net, colours, test=test_set, trigger=TRIGGER, target=TARGET, clean_model=other_net
    )
    for progress in run:
        assert isinstance(progress, Progress) and 1 <= progress.step <= progress.total
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        for net, kept in zip((trained_net, other_net), before, strict=True):
            assert_same(kept, snapshot(net))
        if progress.stage not in stages:
            stages.append(progress.stage)
    assert stages == [head + name for head in ("", "clean_model/") for name in ("reactivate", "universal", "score")]
    trained_net.eval()


def test_the_papers_setting() -> None:
    paper = ReActivation.paper()
    assert paper.eps == pytest.approx(0.05) and (paper.optimiser, paper.lr, paper.steps) == ("sgd", 0.05, 1750)
    assert (paper.target_weight, paper.rival_weight, paper.iterations, paper.query_images) == (1.0, 1.0, 10_000, 500)


@pytest.mark.parametrize(
    ("knobs", "given", "said"),
    [
        ({"threat": "transfer"}, {"surrogates": ()}, "needs surrogates="),
        ({}, {"fit": colour_set(8)[:0]}, "no pictures to find"),
        ({}, {"target": 7}, r"target must be class indices in 0\.\.3"),
        ({}, {"test": colour_set(8)[[1, 5]]}, "no test pictures of a class other than 1"),
        ({}, {"net": "broken"}, "not finite"),
    ],
)
def test_refusals(trained_net, colours, test_set, knobs: dict, given: dict, said: str) -> None:
    net = trained_net
    if given.pop("net", None):
        net = TinyNet().eval()
        net.linear.weight.data.fill_(float("nan"))
    arguments = {"fit": colours, "test": test_set, "trigger": TRIGGER, "target": TARGET} | given
    with pytest.raises(ValueError, match=said):
        finish(ReActivation(**(SHORT | knobs)).run(net, arguments.pop("fit"), **arguments))
