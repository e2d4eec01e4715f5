"""Unlearn, recover by masks, prune the original."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import RNP
from core.networks.predictions import predict
from core.runs import Progress, finish


def short(**values: object) -> RNP:
    return RNP(**dict(steps=6, batch_size=16, unlearn_lr=0.1, unlearn_steps=60, selection="fixed") | values)


def last(stage: str, method: RNP, model: nn.Module, data: ImageSet) -> tuple[Progress, Progress]:
    """The first and the last progress of a stage."""
    seen = [progress for progress in method.run(model, data) if progress.stage == stage]
    return seen[0], seen[-1]


def test_stages_in_the_papers_order(trained_net: nn.Module, colours: ImageSet) -> None:
    stages = [progress.stage for progress in short(steps=2, unlearn_lr=1e-4, unlearn_steps=2).run(trained_net, colours)]
    assert stages == ["unlearn", "unlearn", "recover", "recover", "prune", "select"]


def test_masks_start_at_one_and_stay_in_range(trained_net: nn.Module, colours: ImageSet) -> None:
    for steps in (0, 1, 30):
        report = finish(short(steps=steps, lr=1.0).run(trained_net, colours)).report
        masks = torch.cat([report["rnp/conv1"], report["rnp/conv2"]])
        assert masks.min() >= 0 and masks.max() <= 1
        assert bool((masks == 1).all()) == (steps == 0)


def test_recovery_moves_nothing_but_masks(trained_net: nn.Module, colours: ImageSet) -> None:
    weights: list[list[torch.Tensor]] = []
    for progress in short().run(trained_net, colours):
        if progress.stage == "recover":
            weights.append([p.clone() for p in progress.model.net.parameters()])
    for one, other in zip(weights[0], weights[-1], strict=True):
        assert torch.equal(one, other)
    moved = [not torch.equal(a, b) for a, b in zip(weights[0], trained_net.parameters(), strict=True)]
    assert any(moved)  # they are those of the unlearned model


def test_recovery_brings_clean_accuracy_back(trained_net: nn.Module, colours: ImageSet) -> None:
    first, end = last("recover", short(steps=40, lr=0.5), trained_net, colours)
    assert end.metrics["loss"] < 0.7 * first.metrics["loss"]


def test_the_original_is_pruned_not_the_unlearned_model(trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(short(steps=30, lr=1.0, threshold=0.7).run(trained_net, colours))
    report = repaired.report
    assert report["pruned"] > 0
    assert report["unlearn/accuracy"] <= 0.25
    for conv, norm in (("conv1", "bn1"), ("conv2", "bn2")):
        marked = report[f"masks/{conv}"]
        assert torch.equal(marked, report[f"rnp/{conv}"] <= 0.7)
        assert (repaired.get_parameter(f"{norm}.weight")[marked] == 0).all()
    kept = {"bn1.weight": ~report["masks/conv1"], "bn2.weight": ~report["masks/conv2"]}
    for name, tensor in trained_net.state_dict().items():
        rows = kept.get(name, ...)
        assert torch.equal(repaired.state_dict()[name][rows], tensor[rows])


def test_nothing_below_the_threshold_is_the_identity(trained_net: nn.Module, colours: ImageSet) -> None:
    same = finish(short(steps=0, threshold=0.9).run(trained_net, colours))
    assert torch.equal(predict(same, colours.images), predict(trained_net, colours.images))


def test_unlearning_stops_at_the_accuracy(trained_net: nn.Module, colours: ImageSet) -> None:
    report = finish(short(unlearn_steps=200, unlearn_until=0.5).run(trained_net, colours)).report
    assert report["unlearn/steps"] < 200
    assert report["unlearn/accuracy"] <= 0.5


def test_clean_rule_keeps_validation_accuracy(trained_net: nn.Module, colours: ImageSet) -> None:
    method = short(steps=10, lr=0.1, threshold=1.0, selection="clean", candidates=8)
    report = finish(method.run(trained_net, colours)).report
    assert report["validation/threshold=1"] < report["validation/after"]
    assert report["validation/after"] >= 0.95 * report["validation/before"]


def test_paper_setting() -> None:
    paper = RNP.paper()
    assert (paper.unlearn_lr, paper.unlearn_until, paper.lr, paper.alpha) == (0.01, 0.2, 0.2, 0.2)
    assert (paper.threshold, paper.selection) == (0.7, "fixed")


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_a_mask_is_a_share(value: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        RNP(threshold=value)


def test_unlearning_in_steps_is_ten_times_slower_in_its_second_half(
    trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    step = torch.optim.SGD.step

    def noted(self: torch.optim.SGD, *arguments: object) -> None:
        rates.append(self.param_groups[0]["lr"])
        step(self, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", noted)

    def unlearning(schedule: str) -> list[float]:
        rates.clear()
        how = dict(unlearn_lr=1e-3, unlearn_steps=4, unlearn_until=0.0, unlearn_schedule=schedule, batch_size=16)
        finish(RNP(steps=1, candidates=1, **how).run(trained_net, colours))
        return rates[:4]

    assert unlearning("constant") == [1e-3] * 4
    assert unlearning("steps") == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])
    assert (RNP().unlearn_schedule, RNP.paper().unlearn_schedule) == ("constant", "steps")
