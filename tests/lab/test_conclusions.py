"""What came out of a run, for each way it can come out: the sentence follows the figures, and has them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.attacks import PGD, ReActivation, Regional, WeightBackdoor
from core.defenses import STRIP, TSBD
from core.explain import GradCAM
from core.metrics import TAC
from core.training import Standard
from core.triggers import BadNets
from lab.kinds import kinds
from lab.recipes import Recipe
from lab.results import Result

MODEL = "zoo:scenes-badnets"


def repair(before: float, after: float, ra: float, acc: float = 0.95) -> dict[str, float]:
    return {
        "before/acc": 0.97, "after/acc": acc, "before/asr": before, "after/asr": after, "before/ra": 0.0,
        "after/ra": ra, "clean_model/asr": 0.01,
    }  # fmt: skip


def injected(before: float, after: float) -> dict[str, float]:
    return repair(before, after, 0.0) | {"agreement": 0.98, "report/relative/50": 0.1}


def woken(both: float, plain: float) -> dict[str, float]:
    return {"asr/reactivated": both, "asr/trigger": 0.05, "asr/clean_universal": plain, "gap": both - plain}


CASES: list[tuple[Any, dict[str, float], dict[str, int], str, list[str]]] = [
    (TSBD(), repair(1.0, 0.02, 0.95), {}, "repaired", ["from 100.0 % to 2.0 %", "95.0 % of the triggered", "97.0 %"]),
    (TSBD(), repair(1.0, 0.9, 0.05), {}, "survived", ["survived TSBD", "90.0 %"]),
    (TSBD(), repair(1.0, 0.02, 0.2), {}, "broken", ["broke the model", "20.0 %"]),
    (TSBD(), repair(1.0, 0.02, 0.9, acc=0.6), {}, "broken", ["60.0 %"]),
    (TSBD(), repair(1.0, 0.4, 0.5), {}, "weakened", ["weakened", "40.0 %"]),
    (TSBD(), repair(0.02, 0.02, 0.9), {}, "no backdoor", ["no working backdoor", "stayed at 2.0 %"]),
    (TSBD(), {"before/acc": 0.9, "after/acc": 0.92}, {}, "no trigger", ["rose from 90.0 % to 92.0 %"]),
    (WeightBackdoor(), injected(0.01, 0.97), {}, "injected", ["97.0 %", "98.0 % of the clean pictures"]),
    (WeightBackdoor(), injected(0.01, 0.5), {}, "weak", ["some pictures"]),
    (WeightBackdoor(), injected(0.01, 0.05), {}, "failed", ["failed"]),
    (BadNets(), {"asr": 0.99, "clean_model/asr": 0.02}, {"asr": 900}, "obeyed", ["99.0 % of 900", "2.0 %"]),
    (BadNets(), {"asr": 0.5, "clean_model/asr": 0.02}, {"asr": 900}, "partly obeyed", ["in part"]),
    (BadNets(), {"asr": 0.2}, {"asr": 900}, "hardly obeyed", ["hardly"]),
    (BadNets(), {"asr": 0.6, "clean_model/asr": 0.58}, {"asr": 9}, "not above the floor", ["no evidence"]),
    (PGD(), {"success": 1.0, "control/success": 0.0}, {"success": 4}, "fooled", ["4 of 4 pictures", "0 of 4"]),
    (PGD(), {"success": 0.5, "control/success": 0.1}, {"success": 200}, "in part", ["50.0 % of 200"]),
    (PGD(), {"success": 0.0, "control/success": 0.0}, {"success": 4}, "withstood", ["0 of 4"]),
    (PGD(), {"success": 0.25, "control/success": 0.5}, {"success": 4}, "no better than noise", ["Noise does as much"]),
    (PGD(), {}, {}, "nothing to attack", ["nothing to attack"]),
    (
        Regional(), {"success": 1.0, "global/success": 1.0, "control/success": 0.0, "median/l2": 1.7},
        {"success": 4, "global/success": 4, "median/l2": 3}, "fooled", ["1.70 times as large", "n = 3"],
    ),
    (STRIP(), {"auroc": 0.99, "tpr/5": 0.9}, {"tpr/5": 200}, "found", ["90.0 % of the 200", "AUROC 0.99"]),
    (STRIP(), {"auroc": 0.8, "tpr/5": 0.5, "clean_model/auroc": 0.5}, {"tpr/5": 200}, "in part", ["0.50"]),
    (STRIP(), {"auroc": 0.6, "tpr/5": 0.1}, {"tpr/5": 200}, "missed", ["10.0 %"]),
    (STRIP(), {"auroc": 0.3, "tpr/5": 0.0}, {"tpr/5": 200}, "reversed", ["clean suspects above triggered"]),
    (TAC(), {"overlap/nwc/0.1": 0.7}, {}, "agrees", ["70.0 %", "TSBD"]),
    (TAC(), {"overlap/anp/0.1": 0.3}, {}, "in part", ["ANP"]),
    (TAC(), {"overlap/uclc/0.1": 0.1}, {}, "chance", ["no more than chance"]),
    (TAC(), {}, {}, "oracle alone", ["oracle"]),
    (ReActivation(), woken(0.8, 0.2), {"asr/reactivated": 264}, "dormant", ["80.0 % of 264", "not gone"]),
    (
        ReActivation(), woken(0.8, 0.2) | {"clean_model/gap": 0.55}, {"asr/reactivated": 264}, "clean model too",
        ["+55.0 points", "no evidence of a backdoor"],
    ),
    (
        ReActivation(), woken(0.9, 0.2) | {"asr/trigger": 0.7}, {"asr/reactivated": 264}, "awake",
        ["not dormant", "works by itself"],
    ),
    (ReActivation(), woken(0.9, 0.88), {"asr/reactivated": 264}, "any perturbation", ["perturbation alone succeeds"]),
    (
        ReActivation(), woken(0.1, 0.08) | {"clean_model/gap": -0.01}, {"asr/reactivated": 264}, "no gap",
        ["no evidence", "-1.0 points"],
    ),
    (Standard(), {"after/acc": 0.9}, {"after/acc": 2000}, "trained", ["90.0 % of 2000"]),
    (
        Standard(), {"after/acc": 0.9, "after/asr": 0.99, "clean_model/asr": 0.01}, {"after/acc": 9, "after/asr": 8},
        "backdoored", ["99.0 % of 8", "1.0 %"],
    ),
    (
        Standard(), {"after/acc": 0.9, "after/asr": 0.1}, {"after/acc": 9, "after/asr": 8}, "backdoor not learned",
        ["10.0 %"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "figures", "counts", "outcome", "said"), CASES,
    ids=[f"{type(case[0]).__name__}-{case[3]}-{place}" for place, case in enumerate(CASES)],
)  # fmt: skip
def test_the_conclusion_follows_the_figures(
    method: Any, figures: dict[str, float], counts: dict[str, int], outcome: str, said: list[str]
) -> None:
    model = "arch:preact_resnet18?width=16" if isinstance(method, Standard) else MODEL
    found = Recipe(method, model).kind.conclude(Result(Recipe(method, model), figures, counts))
    assert found.outcome == outcome and all(part in found.text for part in said), found.text
    assert found.text.endswith(".") and found.text.count(". ") <= 2 and "nan" not in found.text


@pytest.mark.parametrize(("maps", "outcome"), [(torch.rand(3, 4, 4), "mapped"), (torch.ones(3, 4, 4), "flat")])
def test_a_heatmap_that_is_the_same_everywhere_is_told(maps: torch.Tensor, outcome: str) -> None:
    recipe = Recipe(GradCAM(), MODEL)
    assert recipe.kind.conclude(Result(recipe, images={"map": maps})).outcome == outcome


def test_every_kind_is_among_the_cases() -> None:
    seen = {Recipe(case[0], "arch:x?width=4").kind.name for case in CASES} | {"explainer"}
    assert seen == set(kinds())
