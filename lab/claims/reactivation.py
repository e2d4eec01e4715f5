"""What the paper on re-activation claims (arXiv 2405.16134)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import Find, Value, runs

RECIPE = {
    "method": {"method": "ReActivation"}, "data": "scenes",
    "model": {"v": 1, "method": {"method": "FineTuning"}, "model": "zoo:scenes-lowfrequency", "data": "scenes"},
}  # fmt: skip
PAGE = {"v": "1", "model": "zoo:scenes-lowfrequency", "data": "scenes", "defense": "FineTuning"}
ON = {"BadNets": "cifar10-badnets", "Blended": "cifar10-blended", "WaNet": "cifar10-wanet"}
SMALL = "3.188"
"""255ths: a budget at which a universal perturbation of clean pictures does little yet."""


def _runs(attack: str, value: Value, threat: str = "white-box") -> Find:
    return runs("ReActivation", f"* on zoo:{ON[attack]}", value, {"threat": threat}, "repairs and seeds")


def _gap(of: dict[str, float]) -> float:
    """What the perturbation of triggered pictures does beyond one of clean pictures, with the same small budget."""
    return of[f"asr/reactivated@{SMALL}"] - of[f"asr/clean_universal@{SMALL}"]


def _beyond_clean(of: dict[str, float]) -> float:
    """That gap, less the same gap on the clean model."""
    return _gap(of) - (of[f"asr/clean_model/reactivated@{SMALL}"] - of[f"asr/clean_model/clean_universal@{SMALL}"])


CLAIMS = (
    Claim(
        "reactivation-dormant", "reactivation",
        "Defended models keep a dormant backdoor: their channels still act as the backdoored model's do.",
        "Backdoor existence coefficient after repairs of three CIFAR-10 models; the clean model has 0.",
        tuple(Check(f"BEC, {attack}", _runs(attack, "bec"), 0.25, unit="") for attack in ON)
        + tuple(Check(f"ASR of the bare trigger, {attack}", _runs(attack, "asr/trigger"), 0.1, below=True, unit="%")
                for attack in ON),
        "reactivate", RECIPE,
        "A repair changes few channels; more repairs and other networks would show how general it is.", PAGE,
    ),
    Claim(
        "reactivation-white-box", "reactivation",
        "A tiny universal perturbation of triggered pictures wakes the backdoor at inference.",
        "ASR of re-activation at 3.2/255 less that of a perturbation found on clean pictures with the same budget.",
        tuple(Check(f"re-activated less clean universal, {attack}", _runs(attack, _gap)) for attack in ON),
        "reactivate", RECIPE,
        "A square of a few pixels leaves little that a faint change of every pixel could wake; smoother triggers do.",
        PAGE,
    ),
    Claim(
        "reactivation-not-clean", "reactivation",
        "It is the backdoor that is woken: a clean model has no such gap.",
        "The same gap, less that of the clean model under the same two perturbations.",
        tuple(Check(f"gap less the clean model's, {attack}", _runs(attack, _beyond_clean)) for attack in ON),
        "reactivate", RECIPE,
        "Where the clean model has the gap too, triggered pictures are simply easier to push to the target.", PAGE,
    ),
    Claim(
        "reactivation-query", "reactivation",
        "Queries alone suffice: a black-box search finds the perturbation.",
        "Square search with 3,000 iterations or more, three repairs of two models.",
        tuple(Check(f"re-activated less clean universal by queries, {attack}", _runs(attack, "gap", "query"))
              for attack in ON),
        "reactivate", RECIPE | {"method": {"method": "ReActivation", "threat": "query"}},
        "3,000 iterations of 500 pictures take hours per run on two CPU cores; a GPU would decide it.",
        PAGE | {"reactivation-threat": "query"},
    ),
    Claim(
        "reactivation-transfer", "reactivation",
        "The perturbation transfers from models that an attacker defends himself.",
        "Perturbations found on surrogate repairs, scored on another repair.",
        tuple(Check(f"re-activated less clean universal by transfer, {attack}", _runs(attack, "gap", "transfer"))
              for attack in ON),
        "reactivate", RECIPE | {"method": {"method": "ReActivation", "threat": "transfer"}},
        "No run is stored: `perturb paper reactivation --run` computes them.",
        PAGE | {"reactivation-threat": "transfer"},
    ),
)  # fmt: skip
