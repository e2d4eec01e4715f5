"""Formulas step by step: every formula has them, and they hold the numbers of the result."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch

from core.attacks import APGD, APGDT, FAB, MIFGSM, PGD, AutoAttack, Regional, Square
from core.defenses import ANP, CLP, STRIP, TSBD, FinePruning, NeuralCleanse
from core.knobs import Method
from core.metrics import TAC
from core.training import ExplanationConsistency
from core.triggers import SIG, BadNets, Blended
from lab.kinds import kinds
from lab.recipes import Recipe
from lab.results import Result
from ui import texts
from ui.pages import PAGES

KINDS = [kinds()[name] for name in sorted({page.kind for page in PAGES if page.kind})]
PLAIN = {"steps"}
"""Scores that are a count and have no formula."""


def result_of(method: Method, **held) -> Result:
    """A made-up result on the first model, with `report` as its model's."""
    model = SimpleNamespace(report=held.pop("report")) if "report" in held else None
    return Result(Recipe(method, "zoo:scenes-badnets", "scenes"), model=model, **held)


def told(result: Result, place=None, name: str = "") -> str:
    steps = texts.of(name or type(result.recipe.method).__name__).steps
    assert steps is not None
    return " | ".join(f"{step.words} {step.formula}" for step in steps(result, place))


@pytest.mark.parametrize("name", sorted(texts.all_texts()))
def test_every_methods_formula_has_its_steps(name: str):
    text = texts.of(name)
    assert text.steps is not None, f"{name} has a formula and no steps"
    cls = next(cls for kind in KINDS for cls in kind.methods if cls.__name__ == name)
    steps = text.steps(result_of(cls()), None)
    assert all(step.words for step in steps), "a result without anything to fill in breaks nothing"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_score_has_a_formula_with_steps_or_is_a_plain_count(kind):
    for score in kind.scores:
        text = texts.all_scores().get(score.key)
        assert (text is not None and text.steps is not None) != (score.key in PLAIN), score.key


def test_rates_are_counts():
    found = {"asr": 0.5, "ra": 0.25, "acc": 0.9, "clean_model/asr": 0.1}
    result = result_of(BadNets(), figures=found, counts=dict.fromkeys(found, 40))
    steps = texts.all_scores()["asr"].steps(result, None)
    assert [step.formula.split("= ")[1] for step in steps] == [r"\frac{20}{40} ", r"\frac{4}{40} "]
    assert "36}{40" in texts.all_scores()["acc"].steps(result, None)[0].formula


def test_der_and_bec_are_filled_in():
    figures = {"before/asr": 0.99, "after/asr": 0.01, "before/acc": 0.95, "after/acc": 0.97, "der": 0.99}
    result = result_of(TSBD(), figures=figures | {"bec": 0.5, "bec/similarity": 0.8, "bec/clean": 0.6})
    der = texts.DER.steps(result, None)
    assert der[0].formula.endswith("= 0.98") and der[1].formula.endswith("= 0"), "a gain in accuracy is no drop"
    assert r"(0.98 - 0 + 1) = 0.99" in der[2].formula
    assert r"\frac{0.8 - 0.6}{1 - 0.6} = 0.5" in texts.BEC.steps(result, None)[-1].formula


def tsbd_report() -> dict:
    change = torch.tensor([[3.0, 1.0, 0.5, 0.25], [0.1, 0.1, 0.1, 0.1]])
    mask = torch.tensor([[True, True, False, False], [False] * 4])
    return {"nwc/c": change.sum(1), "nwc_largest/c": change.topk(3).values, "masks/c": mask, "neuron_ratio": 0.5}


def test_nwc_is_a_sum_and_tsbd_counts_what_it_zeroes():
    found = told(result_of(TSBD(weight_ratio=0.5), report=tsbd_report()))
    assert r"\mathrm{NWC} = 3 + 1 + 0.5 + 0.25 = 4.75" in found
    assert r"\lfloor 0.5 \cdot 2 \rfloor = 1" in found and r"\frac{2}{8} = 0.25" in found
    other = told(result_of(TSBD(), report=tsbd_report()), ("c", 1))
    assert "Channel 1 of c" in other and "= 0.4" in other


def test_a_ranking_fills_in_the_chosen_channel():
    images = {"tac/c": torch.tensor([0.5, 0.1]), "tac_scale/c": torch.tensor(2.0)}
    images |= {name: value for name, value in tsbd_report().items() if name.startswith("nwc")}
    result = result_of(TAC(), images=images, counts={"pairs": 7})
    assert "Channel 0 of c, over 7 pictures" in told(result)
    assert r"\frac{0.2}{2} = 0.1" in told(result, ("c", 1))
    assert "3 + 1 + 0.5 + 0.25 = 4.75" in told(result, name="TSBD")


def test_masks_and_bounds_are_compared_with_their_limits():
    found = told(result_of(ANP(), report={"anp/b": torch.tensor([0.05, 0.9]), "threshold": 0.2}))
    assert "m = 0.05" in found and "= 1 \\text{ of } 2" in found
    bounds = torch.tensor([1.0, 1.0, 1.0, 5.0])
    assert r"\mathrm{UCLC} = 5" in (found := told(result_of(CLP(u=1.0), report={"uclc/b": bounds})))
    assert r"2 + 1 \cdot 2 = 4" in found and r"\frac{1}{4}" in found
    norms = torch.tensor([1.0, 9.0, 10.0, 11.0, 12.0])
    found = told(result_of(NeuralCleanse(), report={"norms": norms, "flagged": norms < 2}))
    assert "Class 0" in found and "M = 10" in found and "Flagged" in found
    features = {"activation": torch.tensor([2.0, 0.1]), "mask": torch.tensor([0, 1])}
    assert "a_{1} = 0.1" in told(result_of(FinePruning(), report=features))


def test_a_consistency_fills_in_the_mean_and_the_lowest():
    report = {"consistency": torch.tensor([1.0, 0.25, 0.75, 1.0]), "weights": torch.tensor([0.2, 3.0, 1.0, 0.2])}
    found = told(result_of(ExplanationConsistency(), report=report))
    assert r"\bar E = 0.75" in found and r"v = \max(1 - 0.25, 0.5),\quad v' = 3" in found and "4 training" in found
    others = told(result_of(ExplanationConsistency(weights="E"), report=report))
    assert r"\bar E = 0.75" in others and r"\max" not in others, "a control has another v"


def test_strip_adds_up_entropies():
    per_image = {"truth": [False, True], "score": [-1.2, -0.1]}
    images = {"blends/entropy": torch.tensor([[1.0, 1.5], [0.0, 0.2]]), "threshold": torch.tensor(-0.4)}
    found = told(result_of(STRIP(), per_image=per_image, images=images))
    assert "1 + 1.5" in found and r"= 0.1 \text{ nats}" in found and "H < 0.4" in found


def test_a_trigger_is_followed_at_one_value():
    before, after = torch.full((1, 3, 8, 8), 0.5), torch.full((1, 3, 8, 8), 0.5)
    after[0, 0, 2, 3] = 1.0
    images = {"example": before, "example/triggered": after}
    assert r"(1 - 1) \cdot 0.5 + 1 \cdot 1 = 1" in told(result_of(BadNets(), images=images))
    assert "row 2, column 3" in told(result_of(SIG(), images=images))
    assert r"(1 - 0.2) \cdot 0.5 + 0.2 \cdot 3 = 1" in told(result_of(Blended(alpha=0.2), images=images))


def test_attacks_say_their_budget():
    original = torch.full((1, 3, 8, 8), 0.25)
    change = torch.zeros(1, 3, 8, 8)
    change[0, 1, 0, 0] = -0.125
    region = torch.zeros(1, 8, 8, dtype=torch.bool)
    region[0, :4] = True
    images = {"original": original, "perturbation": change, "region": region}
    found = told(result_of(Regional(alpha=0.01), images=images, per_image={"steps": [12]}))
    assert r"\frac{32}{64} = 0.5" in found and r"12 \cdot 0.01 = 0.12" in found and "0.25 - 0.125 = 0.125" in found
    assert "t = 12" in told(result_of(PGD(), images=images, per_image={"steps": [12]}))
    for method, said in (
        (PGD(norm="l1", eps=12.0), r"\rVert_1 \le \varepsilon = 12"), (MIFGSM(eps=0.25), r"\rVert_\infty"),
        (APGD(eps=0.25), r"2\,\varepsilon = 0.5"), (APGDT(norm="l2", eps=0.5), r"\rVert_2"), (Square(), "i = 12"),
        (AutoAttack(eps=0.25), r"\varepsilon = 0.25"), (FAB(), "= 0.125"),
    ):  # fmt: skip
        assert said in told(result_of(method, images=images, per_image={"steps": [12]})), method
    size = texts.all_scores()["l2"].steps(result_of(PGD(), images=images), None)
    assert size[0].formula.endswith("0.125") and r"\sqrt{0.0156} = 0.125" in size[1].formula


def test_small_numbers_keep_their_digits():
    from ui.texts.steps.numbers import tex

    assert tex(0.0314159) == "0.0314" and tex(1.2e-7) == r"1.2 \cdot 10^{-7}" and not re.search("e", tex(3e10))


def test_the_figures_of_a_bias_test_are_counts_and_means_of_each_moment():
    figures = {"before/shuffled": 0.5, "after/shuffled": 0.75, "after/epg": 0.4, "beside/consistency": 0.9}
    result = result_of(ExplanationConsistency(), figures=figures, counts=dict.fromkeys(figures, 40))
    said = {key: [f"{step.words} {step.formula}" for step in texts.all_scores()[key].steps(result, None)]
            for key in ("shuffled", "background", "epg", "consistency")}  # fmt: skip
    assert len(said["shuffled"]) == 2 and r"\frac{30}{40} = 0.75" in said["shuffled"][1] and not said["background"]
    assert said["epg"] == ["Mean share of the positive mass that lies on the object, over 40 pictures, after the "
                           "training. 0.4"]  # fmt: skip
    assert "after the second training. 0.9" in said["consistency"][0]
