"""What came out of a run, for each way it can come out: the sentence follows the figures, and has them.

`CASES` holds a made-up result for every outcome that a kind declares, of its conclusion ("") and of its questions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from core.anomaly import ITSR
from core.attacks import PGD, Patch, ReActivation, Regional, RobustCurve, RobustnessReport, Universal, WeightBackdoor
from core.defenses import STRIP, TSBD, FineTuning, NeuralCleanse
from core.explain import ACAV, TCAV, GradCAM, TrustTests
from core.explain.trust.trust_tests import MEASURES
from core.flatness import AverageFlatness, Landscape, Rescaling, WorstFlatness
from core.information import SharedInformation
from core.metrics import TAC
from core.training import (
    AWP,
    FGSMRS,
    TRADES,
    Adversarial,
    ExplanationConsistency,
    Mixing,
    PoisonedFineTuning,
    Standard,
)
from core.triggers import BadNets, Flareon
from lab import methods
from lab.kinds import kinds
from lab.kinds.kind import Conclusion
from lab.kinds.shared.trust_outcomes import write
from lab.recipes import Recipe
from lab.results import Result


@dataclass
class Case:
    """A made-up result, the outcome it must have, and what its sentence says and does not say."""

    method: Any
    outcome: str
    figures: dict[str, float]
    said: list[str]
    never: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    question: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        start = "arch:preact_resnet18?width=16" if isinstance(self.method, Standard) else "zoo:scenes-badnets"
        return Recipe(self.method, start, inputs=self.inputs)

    def conclusion(self) -> Conclusion:
        kind = self.recipe.kind
        result = Result(self.recipe, dict(self.figures), dict(self.counts), **self.more)
        return kind.questions[self.question].conclude(result) if self.question else kind.conclude(result)


def repair(before: float, after: float, ra: float, acc: float = 0.95, **more: float) -> dict[str, float]:
    return {
        "before/acc": 0.97, "after/acc": acc, "before/asr": before, "after/asr": after, "before/ra": 0.0,
        "after/ra": ra, "clean_model/asr": 0.013,
    } | {name.replace("__", "/"): value for name, value in more.items()}  # fmt: skip


def inverted(index: float, flagged: int, classes: int = 10, **about: float) -> dict[str, float]:
    """Figures of an inversion; `about` is right and caught, which only the scoring side knows."""
    found = {"classes": float(classes), "flagged": float(flagged), "index": index, **about}
    return {f"inversion/{name}": value for name, value in found.items()} | {"report/meaningful": float(classes >= 5)}


def injected(before: float, after: float, acc: float = 0.95) -> dict[str, float]:
    moves = {"agreement": 0.98, "report/relative/50": 0.1, "report/relative/mean": 1.79}
    return repair(before, after, 0.0, acc) | moves


def woken(
    both: float, alone: float, trigger: float = 0.05, clean: tuple[float, float] | None = None
) -> dict[str, float]:
    """`clean` is the gap of a clean model, and what the perturbation without a trigger does to it."""
    found = {"asr/reactivated": both, "asr/trigger": trigger, "asr/clean_universal": alone, "gap": both - alone}
    names = ("clean_model/gap", "asr/clean_model/clean_universal")
    return found if clean is None else found | dict(zip(names, clean, strict=True))


def detected(auroc: float, tpr: float, own: tuple[float, float, float], **more: float) -> dict[str, float]:
    """`own` is what the method flags itself: of all suspects, of the triggered and of the clean ones."""
    found = dict(zip(("own/flagged", "own/tpr", "own/fpr"), own, strict=True))
    return found | {"auroc": auroc, "tpr/5": tpr} | {name.replace("__", "/"): value for name, value in more.items()}


SUSPECTS = {"tpr/5": 200, "own/flagged": 400, "own/tpr": 200, "own/fpr": 200}
PAIRS = {"asr/reactivated": 264}
TRAINED = {"after/acc": 2000, "after/asr": 1800}
NOTED = {"notes": {"inversion": "ring"}}
FOUR = {"success": 4, "global/success": 4, "median/l2": 3}
REGION = {"success": 1.0, "global/success": 1.0, "control/success": 0.0}


def ratio(median: float, low: float, high: float) -> dict[str, float]:
    """Of the L2 norms, with its interval."""
    return {"median/l2": median, "low/l2": low, "high/l2": high}

DEFENSES = [
    Case(TSBD(), "repaired", repair(1.0, 0.02, 0.95),
         ["repaired", "from 100.0 % to 2.0 %", "on a clean model 1.3 %", "95.0 % of the triggered",
         "from 97.0 % to 95.0 %"],
         ["survived", "broke", "gave up"]),
    Case(TSBD(), "survived", repair(1.0, 0.9, 0.05), ["survived TSBD", "to 90.0 %"], ["repaired", "cured"]),
    Case(TSBD(), "broken", repair(1.0, 0.02, 0.2), ["broke the model", "20.0 %"], ["survived", "TSBD repaired"]),
    Case(TSBD(), "broken", repair(1.0, 0.9, 0.2, acc=0.6), ["broke", "to 60.0 %", "to 90.0 %"], ["survived"]),
    Case(TSBD(), "weakened", repair(1.0, 0.4, 0.5), ["weakened", "40.0 %"], ["repaired", "survived"]),
    Case(TSBD(), "no backdoor", repair(0.02, 0.02, 0.9), ["no working backdoor", "stayed at 2.0 %"], ["TSBD repaired"]),
    Case(TSBD(), "no trigger", {"before/acc": 0.9, "after/acc": 0.92}, ["rose from 90.0 % to 92.0 %"], ["attack"]),
    Case(TSBD(), "repaired", repair(1.0, 0.0, 1.0), ["from 8 of 8 to 0 of 8", "8 of 8 of the triggered"], ["100.0 %"],
         {"after/asr": 8, "after/ra": 8, "after/acc": 1000}),
    Case(FineTuning(), "broken", repair(1.0, 0.02, 0.6, 0.8, report__validation__floor=0.898,
         report__validation__after=0.86),
         ["FineTuning gave up", "89.8 %", "86.0 %", "97.0 % to 80.0 %"], ["repaired", "broke"]),
    Case(FineTuning(), "repaired", repair(1.0, 0.02, 0.9, report__validation__floor=0.898,
         report__validation__after=0.91,
         report__lr=0.003), ["repaired", "from 0.03 to 0.003"], ["gave up"]),
    Case(FineTuning(), "repaired", repair(1.0, 0.02, 0.9, report__lr=0.03), ["repaired"], ["learning rate"]),
    Case(NeuralCleanse(), "nothing flagged", repair(0.98, 0.98, 0.0) | inverted(0.79, 0, right=1.0, caught=0.0),
         ["does not show that there is no backdoor", "ring (index 0.79, limit 2)",
         "the backdoor's target: the right class, "
          "but not flagged", "stayed at 98.0 %"], ["survived", "repaired"], more=NOTED),
    Case(NeuralCleanse(), "nothing flagged", repair(0.98, 0.98, 0.0) | inverted(1.1, 0, right=0.0, caught=0.0),
         ["ring (index 1.10, limit 2), which is not the backdoor's target."], ["right class"], more=NOTED),
    Case(NeuralCleanse(), "nothing flagged", repair(0.98, 0.98, 0.0) | inverted(3.0, 0, right=1.0, caught=0.0),
         ["above the limit", "too few pictures"], ["repaired"], more=NOTED),
    Case(NeuralCleanse(), "nothing flagged", repair(0.98, 0.98, 0.0) | inverted(0.5, 0, 4),
         ["4 classes are too few for an outlier test"], ["target"], more=NOTED),
    Case(NeuralCleanse(), "repaired", repair(0.98, 0.01, 0.9) | inverted(3.41, 2, right=1.0, caught=1.0),
         ["repaired", "2 of 10 classes flagged, the target among them", "index 3.41"], ["not flagged"], more=NOTED),
    Case(NeuralCleanse(), "survived", repair(0.98, 0.97, 0.0) | inverted(2.5, 1, right=0.0, caught=0.0),
         ["survived", "1 of 10 classes flagged, but not the target"], ["among them"], more=NOTED),
    Case(NeuralCleanse(), "no trigger", {"before/acc": 0.9, "after/acc": 0.9} | inverted(0.5, 0),
         ["stayed at 90.0 %", "ring (index 0.50, limit 2)."], ["target"], more=NOTED),
    Case(TSBD(), "no trigger", {"before/acc": 0.9, "after/acc": 0.88},
         ["was trained without a backdoor", "what TSBD costs", "from 90.0 % to 88.0 %"], ["attack", "repaired"],
         more={"notes": {"backdoor": "was trained without a backdoor"}}),
    Case(TSBD(), "no backdoor", repair(0.3, 0.02, 0.9), ["no backdoor that the lab knows of", "what TSBD costs"],
         ["TSBD repaired"], more={"notes": {"backdoor": "has no backdoor that the lab knows of"}}),
    Case(NeuralCleanse(), "no trigger", {"before/acc": 0.9, "after/acc": 0.85} | inverted(3.41, 1),
         ["1 of 10 classes flagged, a false alarm."], ["target"],
         more={"notes": {"inversion": "ring", "backdoor": "was trained without a backdoor"}}),
    Case(NeuralCleanse(), "no trigger", {"before/acc": 0.9, "after/acc": 0.85} | inverted(3.41, 1),
         ["1 of 10 classes flagged."], ["false alarm"],
         more={"notes": {"inversion": "ring", "backdoor": "has no backdoor that the lab knows of"}}),
    Case(TSBD(), "falls", repair(1.0, 0.02, 0.2), ["from 100.0 % to 2.0 %"], question="attack"),
    Case(TSBD(), "in part", repair(1.0, 0.5, 0.2, acc=0.4), ["to 50.0 %"], question="attack"),
    Case(TSBD(), "stays", repair(1.0, 0.9, 0.2), ["to 90.0 %"], question="attack"),
    Case(TSBD(), "low before", repair(0.03, 0.9, 0.2), ["no attack to remove", "3.0 %"], question="attack"),
    Case(TSBD(), "no trigger", {"before/acc": 0.9, "after/acc": 0.92}, ["no known trigger"], question="attack"),
    Case(TSBD(), "less than half", repair(1.0, 0.02, 0.9, acc=0.966), ["-0.4 points"], question="cost"),
    Case(TSBD(), "up to two", repair(1.0, 0.02, 0.9, acc=0.955), ["-1.5 points"], question="cost"),
    Case(TSBD(), "up to five", repair(1.0, 0.02, 0.9, acc=0.939), ["from 97.0 % to 93.9 %"], question="cost"),
    Case(TSBD(), "more than five", repair(1.0, 0.02, 0.9, acc=0.9), ["-7.0 points"], question="cost"),
]  # fmt: skip

INJECTIONS = [
    Case(WeightBackdoor(), "injected", injected(0.01, 0.97),
         ["to 97.0 %", "98.0 % of the clean pictures", "more than 10.0 % of their size", "mean is 179.0 %"],
         ["failed", "nudge", "far"]),
    Case(WeightBackdoor(), "costly", injected(0.01, 0.97, 0.9), ["clean pictures show it", "from 97.0 % to 90.0 %"]),
    Case(WeightBackdoor(), "weak", injected(0.01, 0.5), ["some pictures", "to 50.0 %"], ["failed"]),
    Case(WeightBackdoor(), "failed", injected(0.01, 0.05), ["failed", "to 5.0 %"], ["backdoor is in the weights"]),
    Case(WeightBackdoor(), "there before", injected(0.95, 0.99), ["before the injection", "from 95.0 %"], ["failed"]),
    Case(WeightBackdoor(), "less than half", injected(0, 1, 0.966), ["-0.4 points"], question="cost"),
    Case(WeightBackdoor(), "less than half", injected(0, 1, 0.98), ["rose", "+1.0 points"], ["fell"], question="cost"),
    Case(WeightBackdoor(), "up to two", injected(0, 1, 0.955), ["-1.5 points"], question="cost"),
    Case(WeightBackdoor(), "up to five", injected(0, 1, 0.939), ["from 97.0 % to 93.9 %", "-3.1"], question="cost"),
    Case(WeightBackdoor(), "more than five", injected(0, 1, 0.9), ["-7.0 points"], question="cost"),
]  # fmt: skip

TRIGGERS = [
    Case(BadNets(), "obeyed", {"asr": 0.99, "clean_model/asr": 0.02}, ["99.0 % of 900", "2.0 %"], ["no evidence"],
         {"asr": 900}),
    Case(BadNets(), "partly obeyed", {"asr": 0.5, "clean_model/asr": 0.02}, ["50.0 %", "in part"], counts={"asr": 900}),
    Case(BadNets(), "hardly obeyed", {"asr": 0.2}, ["20.0 %", "hardly"], ["never backdoored"], {"asr": 900}),
    Case(BadNets(), "not above the floor", {"asr": 0.5, "clean_model/asr": 0.5}, ["4 of 8", "no evidence"], ["obeys"],
         {"asr": 8}),
    Case(BadNets(), "never learned", {"asr": 0.02, "clean_model/asr": 0.02},
         ["2.0 % of 900", "was trained without a backdoor", "no evidence"], ["obeys"], {"asr": 900},
         more={"notes": {"backdoor": "was trained without a backdoor"}}),
    Case(BadNets(), "often", {"asr": 0.9}, ["90.0 % of 900"], counts={"asr": 900}, question="success"),
    Case(BadNets(), "in part", {"asr": 0.3}, ["30.0 %"], counts={"asr": 900}, question="success"),
    Case(BadNets(), "seldom", {"asr": 0.02}, ["2.0 %"], counts={"asr": 900}, question="success"),
    Case(BadNets(), "often", {"clean_model/asr": 0.9}, ["90.0 % of 900"], counts={"clean_model/asr": 900},
         question="floor"),
    Case(BadNets(), "in part", {"clean_model/asr": 0.3}, ["30.0 %"], counts={"clean_model/asr": 900}, question="floor"),
    Case(BadNets(), "seldom", {"clean_model/asr": 0.02}, ["2.0 %"], counts={"clean_model/asr": 900}, question="floor"),
    Case(BadNets(), "no clean model", {"asr": 0.9}, ["no clean model"], question="floor"),
    Case(Flareon(), "none", {"asr": 0.031, "asr/0": 0.02, "asr/1": 0.042, "clean_model/asr": 0.03},
         ["0 of 2 classes", "2.0 %", "4.2 %", "3.0 % on a clean model"], ["all of"], question="reach"),
    Case(Flareon(), "some", {"asr/0": 0.2, "asr/1": 0.9}, ["1 of 2 classes", "20.0 %", "90.0 %"], question="reach"),
    Case(Flareon(), "all", {"asr/0": 0.6, "asr/1": 0.9}, ["2 of 2 classes"], question="reach"),
    Case(BadNets(), "one trigger", {"asr": 0.9}, ["same for every class"], question="reach"),
]  # fmt: skip

ATTACKS = [
    Case(PGD(), "fooled", {"success": 1.0, "control/success": 0.0}, ["4 of 4 pictures", "on 0 of 4"], ["%"],
         {"success": 4}),
    Case(PGD(), "in part", {"success": 0.5, "control/success": 0.1}, ["50.0 % of 200", "10.0 %"],
         counts={"success": 200}),
    Case(PGD(), "withstood", {"success": 0.0, "control/success": 0.0}, ["0 of 4"], ["as much"], {"success": 4}),
    Case(PGD(), "no better than noise", {"success": 0.25, "control/success": 0.5}, ["2 of 4", "Noise does as much"],
         counts={"success": 4}),
    Case(PGD(), "no better than noise", {"success": 0.0, "control/success": 0.25}, ["0 of 4", "1 of 4"],
         counts={"success": 4}),
    Case(PGD(), "nothing to attack", {}, ["nothing to attack"]),
    Case(Regional(), "fooled", REGION | ratio(1.7, 1.2, 2.0) | {"kept": 0.75},
         ["the larger change: 1.70 times", "n = 3, 95 % interval 1.20 to 2.00", "Of the 4 pictures",
          "3 of 4 stay fooled", "interval 30.1 % to 95.4 %"], ["smaller", "other model"], FOUR | {"kept": 4}),
    Case(Regional(), "withstood", REGION | {"success": 0.0}, ["cannot be compared", "all pixels free on 4 of 4"],
         ["times that"], FOUR),
    Case(Regional(), "smaller", REGION | ratio(0.85, 0.8, 0.99), ["the smaller change: 0.85"], ["larger"], FOUR,
         "size"),
    Case(Regional(), "same", REGION | ratio(0.85, 0.8, 1.01), ["0.85 times", "holds 1"], ["larger"], FOUR, "size"),
    Case(Regional(), "same", REGION | {"median/l2": 1.7}, ["1.70 times", "one picture"], ["larger", "interval"],
         FOUR | {"median/l2": 1}, "size"),
    Case(Regional(), "larger", REGION | ratio(1.7, 1.01, 2.0), ["the larger change: 1.70"], ["smaller"], FOUR, "size"),
    Case(Regional(), "not comparable", REGION | {"success": 0.0}, ["cannot be compared"], counts=FOUR, question="size"),
    Case(PGD(), "no region", {"success": 1.0}, ["no region"], counts=FOUR, question="size"),
]  # fmt: skip

DETECTORS = [
    Case(STRIP(), "found", detected(0.99, 0.9, (0.48, 0.95, 0.01)),
         ["90.0 % of 200 triggered suspects", "AUROC 0.99", "48.0 % of 400 suspects", "95.0 %", "TPR", "1.0 %", "FPR"],
         ["none", "clean model"], SUSPECTS),
    Case(STRIP(), "in part", detected(0.8, 0.5, (0.1, 0.15, 0.05), clean_model__auroc=0.5),
         ["50.0 % of 200", "AUROC 0.80, on a clean model 0.50", "15.0 %"], ["as well"], SUSPECTS),
    Case(STRIP(), "found", detected(0.97, 0.9, (0.5, 0.95, 0.05), clean_model__auroc=0.95),
         ["on a clean model 0.95", "A clean model tells them apart as well"], [], SUSPECTS),
    Case(STRIP(), "found", detected(0.97, 0.9, (0.5, 0.95, 0.05)),
         ["on a model that was trained without a backdoor. Its", "no known backdoor that gives them away"],
         ["clean model tells"], SUSPECTS, more={"notes": {"backdoor": "was trained without a backdoor"}}),
    Case(STRIP(), "missed", detected(0.5, 0.05, (0.05, 0.05, 0.05)),
         ["5.0 % of 200", "on a model that has no backdoor that the lab knows of"],
         ["gives them away"], SUSPECTS, more={"notes": {"backdoor": "has no backdoor that the lab knows of"}}),
    Case(STRIP(), "missed", detected(0.6, 0.1, (0.0, 0.0, 0.0)), ["10.0 % of 200", "flags none of the 400"], ["15"],
         SUSPECTS),
    Case(STRIP(), "reversed", detected(0.3, 0.0, (0.15, 0.1, 0.2)), ["clean suspects above triggered", "20.0 %"], [],
         SUSPECTS),
]  # fmt: skip

OTHERS = [
    Case(TAC(), "agrees", {"overlap/nwc/0.1": 0.7}, ["70.0 %", "TSBD"], ["chance."], {"overlap/nwc/0.1": 40}),
    Case(TAC(), "in part", {"overlap/anp/0.1": 0.3}, ["30.0 %", "ANP"], counts={"overlap/anp/0.1": 40}),
    Case(TAC(), "chance", {"overlap/uclc/0.1": 0.1}, ["1 of 10", "no more than chance"],
         counts={"overlap/uclc/0.1": 10}),
    Case(TAC(), "oracle alone", {}, ["oracle", "256 pairs"], counts={"pairs": 256}),
    Case(ReActivation(), "dormant", woken(0.8, 0.2, clean=(0.0, 0.0)),
         ["80.0 % of 264", "reaches it in 0.0 %", "+0.0 points", "dormant, not gone"], ["fools a small clean model"],
         PAIRS),
    Case(ReActivation(), "clean model too", woken(0.8, 0.2, clean=(0.55, 0.3)), ["+55.0 points", "no evidence"],
         ["dormant"], PAIRS),
    Case(ReActivation(), "awake", woken(0.9, 0.2, 0.7), ["not dormant", "works by itself", "70.0 %"], [], PAIRS),
    Case(ReActivation(), "any perturbation", woken(0.9, 0.88), ["88.0 %", "perturbation alone succeeds"], ["dormant"],
         PAIRS),
    Case(ReActivation(), "no gap", woken(0.1, 0.08, clean=(-0.01, 0.1)), ["-1.0 points", "+2.0 points", "below the 20"],
         ["was dormant"], PAIRS),
    Case(ReActivation(), "below", woken(0.2, 0.9), ["20.0 %", "90.0 %", "no evidence"], ["was dormant"], PAIRS),
    Case(Standard(), "trained", {"after/acc": 0.9}, ["90.0 % of 2000"], ["backdoor"], TRAINED),
    Case(Standard(), "backdoored", {"after/acc": 0.9, "after/asr": 0.99, "clean_model/asr": 0.01},
         ["99.0 % of 1800", "1.0 %", "was learned"], ["not learned"], TRAINED),
    Case(Standard(), "backdoor not learned", {"after/acc": 0.9, "after/asr": 0.3, "clean_model/asr": 0.01}, ["30.0 %"],
         [], TRAINED),
    Case(Standard(), "not above the floor", {"after/acc": 0.9, "after/asr": 0.6, "clean_model/asr": 0.58},
         ["60.0 %", "58.0 %", "no evidence"], ["was learned"], TRAINED),
    Case(PoisonedFineTuning(), "backdoored", repair(0.02, 0.97, 0.0, 0.96), ["from 97.0 % to 96.0 %", "1.3 %"],
         counts=TRAINED),
    Case(PoisonedFineTuning(), "not above the floor", {"before/acc": 0.9, "after/acc": 0.9, "before/asr": 0.3,
         "after/asr": 0.35}, ["30.0 % before the training", "no evidence"], ["was learned"], TRAINED),
    Case(Standard(), "no model before", {"after/acc": 0.9}, ["first weights"], question="cost"),
    Case(PoisonedFineTuning(), "less than half", repair(0, 1, 0, 0.966), ["-0.4 points"], question="cost"),
    Case(PoisonedFineTuning(), "up to two", repair(0, 1, 0, 0.955), ["-1.5 points"], question="cost"),
    Case(PoisonedFineTuning(), "up to five", repair(0, 1, 0, 0.939), ["-3.1 points"], question="cost"),
    Case(PoisonedFineTuning(), "more than five", repair(0, 1, 0, 0.9), ["-7.0 points"], question="cost"),
    Case(GradCAM(), "mapped", {}, ["None of the 3"], more={"images": {"map": torch.rand(3, 4, 4)}}),
    Case(GradCAM(), "mapped", {"agreement": 0.8}, ["None of the 2", "0.80: they say much the same"],
         counts={"agreement": 1}, more={"images": {"map": torch.rand(1, 4, 4), "beside/map": torch.rand(1, 4, 4)}}),
    Case(GradCAM(), "alike", {"agreement": 0.7}, ["0.70, the mean of 3"], counts={"agreement": 3}, question="beside"),
    Case(GradCAM(), "in part", {"agreement": 0.4}, ["agree in part"], counts={"agreement": 3}, question="beside"),
    Case(GradCAM(), "unlike", {"agreement": -0.2}, ["-0.20", "different things"], counts={"agreement": 1},
         question="beside"),
    Case(GradCAM(), "unknown", {}, ["no two heatmaps"], question="beside"),
    Case(GradCAM(), "flat", {}, ["3 of 3"], more={"images": {"map": torch.ones(3, 4, 4)}}),
]  # fmt: skip



def flat(value: float, reference: float = 1.0, right: float = 0.5, **more: float) -> dict[str, float]:
    found = {"flatness": value, "reference": reference, "still_right": right}
    return found | {name.replace("__", "/"): number for name, number in more.items()}


def rescale(after: float, absolute: float, trace: float) -> dict[str, float]:
    return flat(after, before__flatness=1.0, before__absolute=1.0, absolute=absolute, before__trace=50.0, trace=trace,
                gap=2e-8)  # fmt: skip


def slopes(rise: float, fixed: float, lower: float = 0.0, other: float | None = None) -> dict[str, float]:
    found = {"reference": 1.5, "rise": rise, "fixed/rise": fixed, "lower": lower}
    return found if other is None else found | {"other/reference": 1.2, "other/rise": other}


DRAWN = {"counts": {"flatness": 256, "still_right": 256}, "more": {"images": {"draws": torch.zeros(3)}}}
LAYERS = DRAWN | {"more": {"images": {"draws": torch.zeros(3)}, "notes": {"first": "conv1", "second": "conv2"}}}
GRID: dict[str, Any] = {"counts": {"rise": 128}, "more": {"images": {"loss": torch.zeros(1, 1, 21)}}}
BESIDE = GRID | {"inputs": {"other": "zoo:scenes-clean"}}

FLATNESS = [
    Case(AverageFlatness(), "rises", flat(1.3, low=1.1, high=1.5),
         ["at ξ = 0.5 raise the robust loss by 1.30 nats, from 1.00, on 256", "over 3 draws: +1.10 to +1.50"],
         ["more draws", "how sure"], **DRAWN),
    Case(AverageFlatness(), "falls", flat(-1.3, low=-1.5, high=-1.1), ["lower the robust loss by 1.30", "better under"],
         **DRAWN),
    Case(AverageFlatness(), "unclear", flat(0.1, right=0.05, low=-0.2, high=0.4),
         ["the interval holds 0", "gets 5.0 % of 256 pictures right", "how sure"], **DRAWN),
    Case(AverageFlatness(draws=1, loss="clean"), "one draw", flat(0.1, right=0.05), ["the clean loss", "single draw"],
         ["how sure"], **DRAWN),
    Case(WorstFlatness(), "climbs", flat(0.7), ["within ξ = 0.003 that 3 tries found raise", "by 0.70 nats"],
         ["interval"], **DRAWN),
    Case(WorstFlatness(), "no rise", flat(-0.01), ["do not raise", "-0.01 nats, 256 pictures", "too short"], **DRAWN),
    Case(Rescaling(), "ours still", rescale(1.0, 3.0, 400.0),
         ["Multiplying conv1 by 8 and dividing conv2 by it", "2e-08", "stays (1.000 to 1.000 nats)",
          "from 1.000 to 3.000 nats", "from 50.0 to 400.0"], ["yet"], **LAYERS),
    Case(Rescaling(), "moved", rescale(1.5, 3.0, 400.0), ["yet flatness in the relative ball went from 1.000 to 1.500"],
         **LAYERS),
    Case(Rescaling(), "all still", rescale(1.0, 1.0, 50.0), ["no measure moved"], **LAYERS),
    Case(AverageFlatness(), "a tenth", flat(0.05), ["is 1.00 nats, and 1.05"], question="size"),
    Case(AverageFlatness(), "a half", flat(0.5), ["1.50"], question="size"),
    Case(AverageFlatness(), "doubles", flat(0.9), ["1.90"], question="size"),
    Case(WorstFlatness(), "more than doubles", flat(1.3), ["2.30"], question="size"),
    Case(AverageFlatness(), "falls", flat(-0.2), ["0.80"], question="size"),
    Case(Landscape(), "lowest", slopes(2.0, 0.5),
         ["over 21 points", "2.00 nats above that at the weights (1.50)", "lowest", "128"], ["below"], **GRID),
    Case(Landscape(), "not lowest", slopes(-2.0, 0.5, 0.25), ["2.00 nats below", "25% of the points lie below it"],
         ["lowest"], **GRID),
    Case(Landscape(), "flatter", slopes(1.0, 0.5, other=2.0),
         ["of zoo:scenes-clean 2.00 nats above (1.20)", "zoo:scenes-badnets is flatter"], ["sharper"], **BESIDE),
    Case(Landscape(), "sharper", slopes(2.0, 0.5, other=1.0), ["zoo:scenes-badnets is sharper"], **BESIDE),
    Case(Landscape(), "alike", slopes(2.0, 0.5, other=2.1), ["neither is flatter by more than 10%"], **BESIDE),
    Case(Landscape(), "half", slopes(2.0, 0.5), ["+0.50 nats", "+2.00"], question="examples"),
    Case(Landscape(), "some", slopes(2.0, 1.5), ["+1.50 nats"], question="examples"),
    Case(Landscape(), "nothing", slopes(2.0, 2.0), ["+2.00 nats"], question="examples"),
    Case(Landscape(loss="clean"), "no attack", slopes(2.0, 2.0), ["clean loss"], question="examples"),
]  # fmt: skip



def armour(robust: float, train: float, acc: float = 0.8, fgsm: float = 0.6, **more: float) -> dict[str, float]:
    found = {"chance": 0.1, "after/acc": acc, "after/robust": robust, "train/robust": train, "gap": train - robust,
             "fgsm": fgsm}  # fmt: skip
    return found | {name.replace("__", "/"): number for name, number in more.items()}


def paired(robust: float, train: float, acc: float) -> dict[str, float]:
    return {"beside/acc": acc, "beside/robust": robust, "beside/gap": train - robust}


ATTACKED: dict[str, Any] = {
    "counts": {"after/acc": 200, "after/robust": 200, "train/robust": 150},
    "more": {"notes": {"method": "AT-AWP", "beside": "AT"}},
}  # fmt: skip
PAIRED = ATTACKED | {"inputs": {"beside": methods.to_dict(Adversarial())}}
SINGLE = Adversarial(attack=FGSMRS())
ROBUST = [
    Case(TRADES(), "robust", armour(0.5, 0.55, clean_model__robust=0.1),
         ["80.0 % of 200 test pictures", "50.0 % under PGD (10 steps, ε = 8/255)", "55.0 % of 150 training pictures",
          "a gap of 5.0 points"], ["above all", "AT from the same"], **ATTACKED),
    Case(Adversarial(), "overfitted", armour(0.5, 0.75, clean_model__robust=0.1) | paired(0.52, 0.6, 0.8),
         ["above all on what it learned from, a gap of 25.0 points",
          "AT from the same start and the same batches: 52.0 % under attack, a gap of 8.0 points"], [], **PAIRED),
    Case(Adversarial(pictures=500), "robust", armour(0.5, 0.5) | paired(0.52, 0.6, 0.8), ["AT from the same start: 52"],
         ["batches"], **PAIRED),
    Case(SINGLE, "catastrophic", armour(0.01, 0.02, fgsm=0.7), ["70.0 % under a single step", "catastrophic"], [],
         **ATTACKED),
    Case(SINGLE, "not robust", armour(0.01, 0.02, fgsm=0.1, before__robust=0.0), ["the model before it reaches 0.0 %"],
         ["catastrophic"], **ATTACKED),
    Case(Adversarial(), "not robust", armour(0.12, 0.3, clean_model__robust=0.1),
         ["a plainly trained network reaches 10.0 %"], ["gap of"], **ATTACKED),
    Case(Adversarial(), "diverged", armour(0.1, 0.1, acc=0.11), ["chance is 10.0 %", "lower the learning rate"], [],
         **ATTACKED),
    Case(Adversarial(), "smaller gap", armour(0.5, 0.6) | paired(0.5, 0.7, 0.8),
         ["10.0 points with AT-AWP and 20.0 points with AT", "50.0 % and 50.0 % of 200"], question="change", **PAIRED),
    Case(Adversarial(), "same gap", armour(0.5, 0.6) | paired(0.5, 0.61, 0.8), ["11.0"], question="change", **PAIRED),
    Case(Adversarial(), "larger gap", armour(0.5, 0.7) | paired(0.5, 0.6, 0.8), ["20.0"], question="change", **PAIRED),
    Case(Adversarial(), "nothing beside", armour(0.5, 0.7), ["Only one"], question="change", **ATTACKED),
    Case(Adversarial(), "nothing beside", armour(0.5, 0.7), ["Only one"], question="cost", **ATTACKED),
    Case(Adversarial(), "less than half", armour(0.5, 0.7) | paired(0.5, 0.6, 0.8), ["80.0 % right", "+0.0 points"],
         question="cost", **PAIRED),
    Case(Adversarial(), "up to two", armour(0.5, 0.7) | paired(0.5, 0.6, 0.815), ["-1.5 points"], question="cost",
         **PAIRED),
    Case(Adversarial(), "up to five", armour(0.5, 0.7) | paired(0.5, 0.6, 0.84), ["-4.0 points"], question="cost",
         **PAIRED),
    Case(Adversarial(weight_perturbation=AWP()), "more than five", armour(0.5, 0.7) | paired(0.5, 0.6, 0.9),
         ["-10.0 points"], question="cost", **PAIRED),
]  # fmt: skip



def mixed(first: float, low: float, high: float, ece: float = 0.1) -> dict[str, float]:
    """Accuracies 70 % without mixing, 65 % with the second mixer; errors of calibration 10 % and `ece`."""
    found = {"unmixed/acc": 0.7, "first/acc": first, "second/acc": 0.65, "second/gain": -0.05, "second/gain/from": -0.1,
             "second/gain/to": 0.0, "first/gain": first - 0.7, "first/gain/from": low,
             "first/gain/to": high}  # fmt: skip
    errors = {"unmixed/ece": 0.1, "unmixed/overconfidence": 0.08, "first/ece": ece, "first/overconfidence": -0.02}
    return found | errors


MIXED: dict[str, Any] = {
    "counts": dict.fromkeys(("unmixed/acc", "unmixed/ece"), 300),
    "more": {"notes": {"first": "FMix", "second": "CutMix"}},
}
MIXING = [
    Case(Mixing(), "gains", mixed(0.75, 0.01, 0.09),
         ["Without mixing 70.0 % of 300 test pictures are right", "with FMix 75.0 % (+5.0 points", "+1.0 to +9.0",
          "with CutMix 65.0 % (-5.0 points", "One seed"], **MIXED),
    Case(Mixing(), "within chance", mixed(0.72, -0.02, 0.06), ["+2.0 points"], **MIXED),
    Case(Mixing(), "loses", mixed(0.6, -0.15, -0.05), ["-10.0 points"], **MIXED),
    Case(Mixing(), "closer", mixed(0.75, 0.01, 0.09, 0.05),
         ["10.0 points (on average 8.0 too sure) without", "5.0 points (on average 2.0 not sure enough) with FMix"],
         question="confidence", **MIXED),
    Case(Mixing(), "alike", mixed(0.75, 0.01, 0.09, 0.11), ["300 test pictures"], question="confidence", **MIXED),
    Case(Mixing(), "further", mixed(0.75, 0.01, 0.09, 0.2), ["20.0 points"], question="confidence", **MIXED),
]  # fmt: skip


def recalled(value: float, n: int = 200, **more: float) -> dict[str, Any]:
    """A made-up concept run over three sets and 20 random concepts."""
    figures = {"recall_at_5": value, "spread_at_5": 0.02, "recall": 0.8, "fpr": 0.2, "spread": 0.04}
    figures |= {"score/disc": 0.9, "score/ring": 0.4, "p/disc": 0.5, "p/ring": 0.5}
    return {
        "figures": figures | {name.replace("__", "/"): number for name, number in more.items()},
        "counts": {"recall_at_5": n},
        "more": {"images": {"recalls": torch.zeros(3, 3), "controls": torch.zeros(int(more.get("controls", 20)), 2)},
                 "notes": {"concept": "texture=stripes", "layer": "net.layer3"}},
    }  # fmt: skip


SECOND = {"inputs": {"alongside": methods.to_dict(ACAV())}}
CONCEPTS = [
    Case(TCAV(), "chance", said=["At layer3, *texture: stripes*", "6.0 % of 200 pictures", "may be chance"],
         **recalled(0.06)),
    Case(TCAV(), "chance", said=["1 of 8 pictures"], **recalled(0.125, n=8)),
    Case(TCAV(), "in part", said=["20.0 % of 200 pictures", "3 random sets, standard deviation 2.0 points",
                                  "chance would be 5 %"], **recalled(0.2)),
    Case(TCAV(), "known", said=["70.0 %"], **recalled(0.7)),
    Case(TCAV(), "none", said=["0 of 2 classes", "20 random concepts", "0.1 would"], question="responds",
         **recalled(0.7)),
    Case(TCAV(), "one", said=["1 of 2 classes", "disc (score 0.90)"], question="responds",
         **recalled(0.7, p__disc=0.04)),
    Case(TCAV(), "several", said=["disc (score 0.90), ring (score 0.40)"], question="responds",
         **recalled(0.7, p__disc=0.04, p__ring=0.04)),
    Case(TCAV(), "too few", said=["10 random concepts are too few"], question="responds",
         **recalled(0.7, controls=10)),
    Case(TCAV(), "alone", said=["No second method"], question="beside", **recalled(0.7)),
    *(Case(TCAV(), outcome, question="beside", **SECOND,
           said=[f"ACAV recalls {100 * value:.1f} % and TCAV 70.0 % of 200", "90.0 % with 30.0 % false", "1.0 and 4.0"],
           **recalled(0.7, beside__recall_at_5=value, beside__recall=0.9, beside__fpr=0.3, beside__spread=0.01))
      for outcome, value in (("more", 0.8), ("alike", 0.71), ("less", 0.5))),
]  # fmt: skip


def looks(acc: float, shuffled: float, background: float = 0.3, **more: float) -> dict[str, float]:
    """Figures of a bias test; `more` such as before__shuffled."""
    found = {"after/acc": acc, "after/shuffled": shuffled, "after/background": background, "chance": 0.1}
    return found | {name.replace("__", "/"): value for name, value in more.items()}


SINGLY: dict[str, Any] = {
    "counts": dict.fromkeys(("after/acc", "after/shuffled", "after/consistency"), 500),
    "more": {"notes": {"method": "weights 1 − E", "beside": "plain training"}},
}  # fmt: skip
WEIGHED = SINGLY | {"inputs": {"beside": methods.to_dict(ExplanationConsistency(weights="1"))}}
OTHER = {"beside__acc": 0.9, "beside__shuffled": 0.4, "beside__consistency": 0.8}
CONSISTENT = [
    Case(ExplanationConsistency(), "background", looks(0.95, 0.3, before__shuffled=0.25),
         ["After training with weights 1 − E", "95.0 % of 500 test pictures",
          "30.0 % with shuffled ones (25.0 % before)", "many answers rest on the background"],
         ["Plain training"], **SINGLY),
    Case(ExplanationConsistency(), "object", looks(0.95, 0.93) | looks(0.95, 0.93, **OTHER),
         ["rest on the object", "background alone it tells 30.0 %",
          "Plain training from the same start: 90.0 % and 40.0 %."], ["many"], **WEIGHED),
    Case(ExplanationConsistency(), "diverged", looks(0.12, 0.1), ["chance is 10.0 %", "lower the learning rate"], [],
         **SINGLY),
    Case(ExplanationConsistency(), "higher", looks(0.9, 0.5, **OTHER), ["a difference of +10.0 points"],
         question="change", **WEIGHED),
    Case(ExplanationConsistency(), "same", looks(0.9, 0.41, **OTHER), ["On the same 500 pictures", "+1.0"],
         question="change", **WEIGHED),
    Case(ExplanationConsistency(), "lower", looks(0.9, 0.3, **OTHER), ["-10.0 points"], question="change", **WEIGHED),
    Case(ExplanationConsistency(), "nothing beside", looks(0.9, 0.3), ["Only one"], question="change", **SINGLY),
    Case(ExplanationConsistency(), "more stable", looks(0.9, 0.3, after__consistency=0.9, **OTHER),
         ["Mean E over 500 training pictures: 0.900 after training with weights 1 − E, 0.800 after plain training"],
         question="stable", **WEIGHED),
    Case(ExplanationConsistency(), "as stable", looks(0.9, 0.3, after__consistency=0.805, **OTHER), ["0.805"],
         question="stable", **WEIGHED),
    Case(ExplanationConsistency(), "less stable", looks(0.9, 0.3, after__consistency=0.7, **OTHER), ["0.700"],
         question="stable", **WEIGHED),
    Case(ExplanationConsistency(), "nothing beside", looks(0.9, 0.3), ["Only one"], question="stable", **SINGLY),
]  # fmt: skip


def codes(mixup: float, spread: float | None = None, cutmix: float = 58.0) -> dict[str, float]:
    """What is shared, in nats: FMix 57, no mixing 61."""
    found = {"no mixing": 61.0, "MixUp": mixup, "CutMix": cutmix, "FMix": 57.0}
    shared = {f"{name}/shared": value for name, value in found.items()}
    return shared | ({} if spread is None else {f"{name}/shared/spread": spread for name in found})


CODED: dict[str, Any] = {"counts": {"no mixing/shared": 300}}
INFORMATION = [
    Case(SharedInformation(), "MixUp least", codes(54.0, 0.5),
         ["MixUp 54.0 ± 0.5, FMix 57.0 ± 0.5, CutMix 58.0", "itself has 61.0 ± 0.5 (300 test pictures, 2 VAEs"], [],
         **CODED),
    Case(SharedInformation(), "another least", codes(59.0, 0.5), ["FMix 57.0 ± 0.5, CutMix"], [], **CODED),
    Case(SharedInformation(), "within the spread", codes(56.8, 0.5), ["not settled"], [], **CODED),
    Case(SharedInformation(repeats=1), "within the spread", codes(50.0), ["MixUp 50.0,", "1 VAE of"], ["±"], **CODED),
]  # fmt: skip

def table(*rows: tuple[float, float]) -> dict[str, Any]:
    """Attacks with (success, L2), and the control."""
    names = ("FGSM", "PGD L2", "DeepFool L2", "CarliniWagner")[: len(rows)]
    lines = [[won, 0.0, 1.0, l2, 0.1, 1.0, 1.0] for won, l2 in (*rows, (0.0, 9.0))]
    return {"images": {"attacks": torch.tensor(lines), "budgets": torch.tensor([0.0, 0.5]),
                       "right/zoo:a": torch.tensor([1.0, 0.2]), "right/zoo:b": torch.tensor([1.0, 0.3])},
            "notes": {"attacks": ", ".join([*names, "random noise"]), "models": "zoo:a, zoo:b"}}  # fmt: skip


def survive(acc: float, robust: float, others: float | None = None) -> dict[str, float]:
    found = {"acc": acc, "survives": robust, "control/survives": 0.9}
    return found | ({} if others is None else {"others/survives": others})


ON_100 = {"counts": {"survives": 100}}
BUDGETS = [
    Case(RobustCurve(), "broken", survive(0.9, 0.05, 0.3),
         ["ε = 8/255 5.0 % of 100 test", "90.0 % without", "zoo:b keeps 30.0 %", "2 of 3", "PGD L2 with the", "0.50"],
         **ON_100, more=table((1, 2.0), (1, 0.5), (0, 0.1))),
    Case(RobustCurve(norm="l2"), "in part", survive(0.9, 0.3), ["At 0.5 in L2 30.0 %"], ["keeps"], **ON_100,
         more=table((1, 1.0))),
    Case(RobustCurve(), "withstands", survive(0.6, 0.5), ["none of 1"], ["smallest"], **ON_100, more=table((0, 1.0))),
    Case(RobustCurve(), "nothing right", survive(0.0, 0.0), ["None of 100"], ["%"], **ON_100, more=table((0, 1.0))),
    Case(RobustCurve(), "PGD", {}, ["2 of 3", "PGD L2"], question="smallest", more=table((1, 2.0), (1, 0.5), (0, 0.1))),
    Case(RobustCurve(), "DeepFool", {}, ["3 of 3"], question="smallest", more=table((1, 2.0), (1, 0.5), (1, 0.1))),
    Case(RobustCurve(), "CarliniWagner", {}, ["1 of 4"], question="smallest",
         more=table((0, 2.0), (0, 0.5), (0, 0.1), (1, 0.3))),
    Case(RobustCurve(), "another", {}, ["FGSM"], question="smallest", more=table((1, 2.0))),
    Case(RobustCurve(), "none", {}, ["none of 1"], question="smallest", more=table((0, 2.0))),
    Case(RobustCurve(), "none", {}, ["misclassified without"], ["smallest"], question="smallest",
         more=table((1, 0.0)) | {"per_image": {"label": [3], "before": [4]}}),
]  # fmt: skip

def fools(test: float, control: float, fit: float = 0.5, n: int = 300, **more: Any) -> dict[str, Any]:
    return {"figures": {"fooling": test, "control/fooling": control, "fit/fooling": fit},
            "counts": {"fooling": n, "control/fooling": n, "fit/fooling": 500}, "more": more}


SAID: dict[str, Any] = {"images": {"answers": torch.tensor([[3, 1], [1, 3]])}}
TO: dict[str, Any] = {"notes": {"class": "ring"}}
OTHERS_TOO: dict[str, Any] = {
    "notes": {"class": "ring", "models": "zoo:a, zoo:b"},
    "images": {"others": torch.tensor([[0.2, 0.1, 300], [0.3, 0.1, 200]])},
}  # fmt: skip
UNIVERSAL = [
    Case(Universal(), "most", said=["ξ = 10/255 changes the answer on 60.0 % of 300", "same size do so on 5.0 %",
                                    "square: 1 answers before, 3 after"], **fools(0.6, 0.05, **SAID)),
    Case(Universal(norm="l2", xi=2.0), "some", said=["L2 norm 2 leads to ring on 30.0 %"], never=["Most often"],
         **fools(0.3, 0.05, **TO)),
    Case(Patch(), "most", said=["The patch, 30 to 50 %", "shuffled on 10.0 %", "zoo:a 20.0 %, zoo:b 30.0 %"],
         **fools(0.9, 0.1, **OTHERS_TOO)),
    Case(Patch(), "no better than its control", said=["no more than chance"], **fools(0.9, 0.85, **TO)),
    Case(Universal(), "nothing to fool", said=["already"], **fools(0.0, 0.0, n=0, **TO)),
    Case(Universal(), "as often", said=["50.0 % of 500 training", "55.0 % of 300 test"], question="held out",
         **fools(0.55, 0.0)),
    Case(Universal(), "less often", said=["20.0 % of 300 test"], question="held out", **fools(0.2, 0.0)),
    Case(Universal(), "more often", said=["80.0 % of 300 test"], question="held out", **fools(0.8, 0.0)),
]  # fmt: skip

def report(acc: float, auto: float, survives: float = 0.4) -> dict[str, Any]:
    figures = {"acc": acc, "survives": survives, "autoattack": auto, "worst": 0.1, "corruption/blur": 0.7,
               "corruption/jpeg": 0.6}  # fmt: skip
    return {"figures": figures, "counts": {"acc": 200, "survives": 200, "autoattack": 16, "worst": 18},
            "more": {"notes": {"worst": "ring"}}}  # fmt: skip


REPORT = [
    Case(RobustnessReport(), "fragile", said=["80.0 % of 200 test pictures without", "40.0 % under PGD at ε = 8/255",
         "0 of 16 pictures under AutoAttack", "ring (2 of 18 right)", "jpeg costs most"], **report(0.8, 0.0)),
    Case(RobustnessReport(norm="l2"), "in part", said=["counterpart in L2"], **report(0.8, 0.25)),
    Case(RobustnessReport(), "robust", said=["12 of 16"], **report(0.8, 0.75)),
    Case(RobustnessReport(), "fragile", said=["no class keeps a picture; of the"], never=["ring"],
         **report(0.8, 0.0, 0.0)),
    Case(RobustnessReport(), "nothing right", said=["None of 200"], **report(0.0, 0.0)),
]  # fmt: skip


def proven(own: dict[str, float], noise: dict[str, float] | None = None, **figures: float) -> dict[str, Any]:
    """A made-up table of Grad-CAM and noise over four pictures that are alike, and figures such as trigger__area."""
    notes = {"own": "GradCAM", "backdoored": "zoo:scenes-badnets", "says plain": "ring", "says triggered": "disc"}
    result = Result(Recipe(TrustTests(), "zoo:scenes-clean"), notes=notes)
    for row, values in (("GradCAM", own), ("RandomMap", noise)):
        if values is not None:
            column = [values.get(name, float("nan")) for name in MEASURES]
            write(result, row, torch.tensor(column, dtype=torch.float64)[:, None].expand(-1, 4))
    return {
        "figures": result.figures | {name.replace("__", "/"): value for name, value in figures.items()},
        "counts": result.counts, "more": {"images": result.images, "notes": result.notes},
    }  # fmt: skip


NOISE = {"deletion": 0.5, "insertion": 0.5, "energy": 0.2}
GOOD = {"deletion": 0.2, "insertion": 0.9, "energy": 0.6, "pointing": 1.0}
ON = {"trigger__area": 0.01, "trigger__before": 0.02, "trigger__distance": 9.2, "trigger__side": 32.0}
TRUST = [
    Case(TrustTests(), "changes", said=[
        "0.10 with the first ones (95 % interval 0.10 to 0.10, 4 pictures", "depend on what was learned, which",
        "deletion 0.20, better than a random order (0.50) and insertion 0.90, better", "lies on the object",
    ], never=["hardly depend"], **proven({"randomised": 0.1} | GOOD, NOISE)),
    Case(TrustTests(), "in part", said=["part of them does not"], **proven({"randomised": 0.5})),
    Case(TrustTests(), "stays", said=["hardly depend on what was learned"], **proven({"randomised": 0.9})),
    Case(TrustTests(), "flat", said=["nothing to test"], **proven({})),
    Case(TrustTests(), "both", said=["over 4 pictures"], question="order", **proven(GOOD, NOISE)),
    Case(TrustTests(), "one", said=["insertion 0.90, better"], question="order",
         **proven(GOOD | {"deletion": 0.7}, NOISE)),
    Case(TrustTests(), "neither", said=["deletion 0.70, worse than a random order (0.50)", "not told apart"],
         never=["better"], question="order", **proven({"deletion": 0.7, "insertion": 0.5}, NOISE)),
    Case(TrustTests(), "unknown", said=["nothing can be said"], question="order", **proven(GOOD)),
    Case(TrustTests(), "object", said=["60.0 % of the positive mass", "of noise 20.0 %", "in 4 of 4 pictures"],
         question="object", **proven(GOOD, NOISE)),
    Case(TrustTests(), "chance", said=["20.0 %"], question="object", **proven(GOOD | {"energy": 0.2}, NOISE)),
    Case(TrustTests(), "elsewhere", said=["10.0 %", "in no picture, as every map is constant"], question="object",
         **proven({"energy": 0.1}, NOISE)),
    Case(TrustTests(), "unknown", said=["no masks"], question="object", **proven({"deletion": 0.2}, NOISE)),
    Case(TrustTests(), "on it", said=[
        "says ring, with it disc.", "80.0 % of the positive mass lies on the trigger, 1.0 %",
        "of the plain picture's map 2.0 %", "lies 9 pixels from it: the map points to the trigger"], question="trigger",
        **proven({}, **ON, trigger__energy=0.8)),
    Case(TrustTests(), "on it", said=["Its highest pixel lies on it: the map points"], question="trigger",
         **proven({}, **ON | {"trigger__distance": 0.0}, trigger__energy=0.02)),
    Case(TrustTests(), "on it", said=["lies 1 pixel from it"], question="trigger",
         **proven({}, **ON | {"trigger__distance": 1.0}, trigger__energy=0.02)),
    Case(TrustTests(), "in part", said=["leans to the trigger, and points elsewhere"], question="trigger",
         **proven({}, **ON, trigger__energy=0.1)),
    Case(TrustTests(), "not on it", said=["no detector of backdoors"], question="trigger",
         **proven({}, **ON, trigger__energy=0.01)),
    Case(TrustTests(), "everywhere", said=["changes 98.0 % of the pixels"], question="trigger",
         **proven({}, trigger__area=0.98)),
    Case(TrustTests(), "unknown", said=["changes no pixel"], question="trigger", **proven({}, trigger__area=0.0)),
    Case(TrustTests(), "unknown", said=["nothing positive"], question="trigger", **proven({}, **ON)),
    Case(TrustTests(), "unknown", said=["No backdoored model"], question="trigger", **proven({})),
]  # fmt: skip



def ranked(itsr: float, ae: float, **more: float) -> dict[str, float]:
    """Balanced accuracies of ITSR and of the autoencoder; 6 outliers among 100 training pictures."""
    found = {"ITSR/bacc": itsr, "Autoencoder/bacc": ae, "ITSR/tnr": 0.9, "ITSR/tpr": 0.8, "ITSR/ceiling": 0.95}
    found |= {"ITSR/auroc": 0.9, "Autoencoder/auroc": 0.8}
    return found | {"outliers": 6.0} | {name.replace("__", "/"): value for name, value in more.items()}


def held(*last: float) -> dict[str, Any]:
    """Six outliers of 100 pictures; `last` are the weights of the last phase of some, from the first outlier on."""
    weights, truth = torch.ones(2, 100), torch.arange(100) < 6
    weights[:, : len(last)] = torch.tensor(last)
    return {"images": {"truth": truth, "ITSR/history": weights}, "notes": {"detectors": "Autoencoder,ITSR"}}


OF_80 = {"counts": {"ITSR/bacc": 80}}
NONE_IN = {"images": {"truth": torch.zeros(9, dtype=torch.bool), "ITSR/history": torch.ones(2, 9)}}
FALLING = {"Autoencoder__ratio__most": 4.0}
OUTLYING = [
    Case(ITSR(), "ahead", ranked(0.9, 0.7), ["80 test pictures", "6 outliers among 100", "ITSR 90.0 %, AE 70.0 %",
         "ceiling is 95.0 %"], [], **OF_80, more=held()),
    Case(ITSR(), "level", ranked(0.9, 0.89), ["Another seed"], ["AUROC"], **OF_80, more=held()),
    Case(ITSR(), "ahead", ranked(0.9, 0.4, Autoencoder__auroc=0.3), ["below normal pictures: AE 0.30; another seed"],
         ["ITSR 0."], **OF_80, more=held()),
    Case(ITSR(), "behind", ranked(0.6, 0.7), ["AE 70.0 %, ITSR 60.0 %"], [], **OF_80, more=held()),
    Case(ITSR(), "alone", ranked(0.6, 0.7), ["ITSR 60.0 %"], ["AE"], **OF_80,
         more=held() | {"notes": {"detectors": "ITSR"}}),
    Case(ITSR(), "closed", ranked(0.6, 0.7, Autoencoder__ratio=1.2, **FALLING), ["6 training outliers", "4.0", "1.2"],
         question="learned", more=held()),
    Case(ITSR(), "narrowed", ranked(0.6, 0.7, Autoencoder__ratio=2.5, **FALLING), ["2.5"], question="learned"),
    Case(ITSR(), "open", ranked(0.6, 0.7, Autoencoder__ratio=3.9, **FALLING), ["3.9"], question="learned"),
    Case(ITSR(), "no outliers", ranked(0.6, 0.7), ["No error of outliers"], question="learned"),
    Case(ITSR(), "most", ranked(0.6, 0.7), ["took 6 of 100", "6 of the 6 outliers", "1 were pushed away, 1 of those"],
         question="candidates", more=held(0, 0, 0, 0, 0, -0.1)),
    Case(ITSR(), "some", ranked(0.6, 0.7), ["3 of the 6"], question="candidates", more=held(0, 0, 0)),
    Case(ITSR(), "few", ranked(0.6, 0.7), ["1 of the 6"], question="candidates", more=held(0)),
    Case(ITSR(), "no outliers", ranked(0.6, 0.7), ["0 of the 0"], question="candidates", more=NONE_IN),
    Case(ITSR(), "not refined", ranked(0.6, 0.7), ["did not run"], question="candidates"),
]  # fmt: skip

CASES = REPORT + TRUST + UNIVERSAL + BUDGETS + INFORMATION + CONSISTENT + CONCEPTS + MIXING + ROBUST + FLATNESS
CASES += OUTLYING
CASES += DEFENSES + INJECTIONS + TRIGGERS + ATTACKS + DETECTORS + OTHERS


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{type(case.method).__name__}-{case.outcome}-{place}" for place, case in enumerate(CASES)]
)
def test_the_sentence_follows_the_figures(case: Case) -> None:
    found = case.conclusion()
    assert found.outcome == case.outcome, found
    missing = [part for part in case.said if part not in found.text]
    wrong = [part for part in case.never if part in found.text]
    assert not missing and not wrong, (missing, wrong, found.text)
    assert not found.text[0].islower() and found.text.endswith(".")
    assert "nan" not in found.text and "  " not in found.text
    assert found.text.count(". ") <= 2, "more than three sentences"


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)
def test_every_outcome_that_a_kind_declares_is_among_the_cases(kind: Any) -> None:
    declared = {("", outcome) for outcome in kind.outcomes}
    declared |= {(name, outcome) for name, question in kind.questions.items() for outcome in question.outcomes}
    seen = {(case.question, case.outcome) for case in CASES if case.recipe.kind is kind}
    assert seen == declared, f"without a case: {declared - seen}; not declared: {seen - declared}"
