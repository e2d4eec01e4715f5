"""Who may see what when a strength is chosen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import TSBD, FinePruning
from core.defenses.shared.selection import Choice, choose, fit_and_validation
from core.knobs import Method
from core.runs import Progress, Run, finish


class Strength(nn.Module):
    """A stand-in for a repaired model that knows how hard it was repaired."""

    def __init__(self, value: float):
        super().__init__()
        self.value = value


def repair(strength: float) -> Run[nn.Module]:
    yield Progress("tune", 1, 1)
    return Strength(strength)


def choice(rule: str, limit: float, candidates: int = 3, oracle: object = None) -> Choice:
    """The choice from (0, 0.8] when accuracy is 0.9 up to `limit` and falls beyond it."""

    def score(model: nn.Module) -> float:
        return 0.9 if model.value <= limit else 0.9 - model.value

    return finish(choose(rule, 0.8, repair, score, floor=0.85, candidates=candidates, oracle=oracle))


def test_clean_takes_the_upper_bound_at_once_where_it_may() -> None:
    chosen = choice("clean", 1.0)
    assert chosen.strength == 0.8
    assert list(chosen.tried) == [0.8]


def test_clean_bisects() -> None:
    chosen = choice("clean", 0.5, candidates=4)
    assert list(chosen.tried) == pytest.approx([0.8, 0.4, 0.6, 0.5])
    assert chosen.strength == pytest.approx(0.5)
    assert chosen.model.value == chosen.strength


def test_clean_with_nothing_good_enough_is_the_most_accurate() -> None:
    chosen = choice("clean", 0.0)
    assert chosen.strength == pytest.approx(0.2)
    assert chosen.accuracy == pytest.approx(0.7)


def test_fixed_takes_the_knob() -> None:
    assert choice("fixed", 0.0).strength == 0.8


def test_oracle_takes_the_lowest_asr_among_the_accurate() -> None:
    asked = []

    def oracle(model: nn.Module) -> float:
        asked.append(model.value)
        return abs(model.value - 0.4)

    assert choice("oracle", 0.7, candidates=4, oracle=oracle).strength == pytest.approx(0.4)
    assert asked == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert choice("oracle", 0.3, candidates=4, oracle=oracle).strength == pytest.approx(0.2)


def test_split_is_disjoint_and_by_seed(colours: ImageSet) -> None:
    numbered = ImageSet(colours.images, torch.arange(len(colours)), colours.class_names)
    fit, validation = fit_and_validation(numbered, 5)
    assert (len(fit), len(validation)) == (51, 13)
    assert sorted(fit.labels.tolist() + validation.labels.tolist()) == list(range(64))
    assert torch.equal(fit_and_validation(numbered, 5)[0].labels, fit.labels)
    assert not torch.equal(fit_and_validation(numbered, 6)[0].labels, fit.labels)


def short(cls: type[Method], **values: object) -> Method:
    unlearning = {"unlearn_steps": 2} if cls is TSBD else {}
    return cls(steps=1, batch_size=16, candidates=2, **unlearning, **values)


@pytest.mark.parametrize("cls", [FinePruning, TSBD])
class TestMethods:
    @pytest.mark.parametrize("selection", ["clean", "fixed"])
    def test_only_the_oracle_rule_asks_the_oracle(
        self, cls: type[Method], selection: str, trained_net: nn.Module, colours: ImageSet
    ) -> None:
        def oracle(model: nn.Module) -> float:
            raise AssertionError("the oracle was asked")

        finish(short(cls, selection=selection).run(trained_net, colours, oracle=oracle))

    def test_oracle_without_a_callable(self, cls: type[Method], trained_net: nn.Module, colours: ImageSet) -> None:
        with pytest.raises(ValueError, match="needs oracle="):
            finish(short(cls, selection="oracle").run(trained_net, colours))

    def test_oracle_is_asked_about_repaired_models(
        self, cls: type[Method], trained_net: nn.Module, colours: ImageSet
    ) -> None:
        asked = []

        def oracle(model: nn.Module) -> float:
            asked.append(model)
            return 0.5

        repaired = finish(short(cls, selection="oracle").run(trained_net, colours, oracle=oracle))
        assert len(asked) == 2
        assert any(repaired is model for model in asked)

    def test_fixed_uses_the_knob(self, cls: type[Method], trained_net: nn.Module, colours: ImageSet) -> None:
        knob, key = ("neuron_ratio", "neuron_ratio") if cls is TSBD else ("prune_ratio", "pruned")
        repaired = finish(short(cls, selection="fixed", **{knob: 0.5}).run(trained_net, colours))
        assert repaired.report[key] == pytest.approx(0.5)

    def test_unknown_rule(self, cls: type[Method]) -> None:
        with pytest.raises(ValueError, match="is not one of clean, fixed, oracle"):
            cls(selection="peek")
