"""Robust trainings by the names that papers give them: "AT", "TRADES-AWP", "FGSM-RS"."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.attacks import PGD
from core.knobs import knobs_of
from core.training import FGSMRS, MART, NFGSM, SAM, TRADES, Adversarial
from core.training.shared.robust_training import RobustTraining

METHODS: dict[type[RobustTraining], str] = {Adversarial: "AT", TRADES: "TRADES", MART: "MART"}
SINGLE_STEP = {FGSMRS: "FGSM-RS", NFGSM: "N-FGSM"}
PLAIN = "plain"
NAMES = ("AT", "AT-AWP", "AT-SAM", "TRADES", "TRADES-AWP", "MART", "MART-AWP", *SINGLE_STEP.values(), PLAIN)
"""Those that a page offers."""


def called(method: Any) -> str:
    """The name of a robust training; of one whose ε is 0, which attacks nothing, "plain"."""
    attack: Any = method.attack
    name = SINGLE_STEP.get(type(attack)) or METHODS[type(method)]
    part = method.weight_perturbation
    return (PLAIN if attack.eps == 0 else name) + ("" if part is None else f"-{type(part).__name__}")


def named(name: str, shared: Any, awp: Any) -> RobustTraining:
    """The training of this name, of NAMES, with every knob that it shares with `shared`, an Adversarial, set alike.

    A single-step attack has the ε of `shared.attack`, and FGSM-RS a step of 1.25 ε.
    """
    base, part = (name[:-4], name[-3:]) if name.endswith(("-AWP", "-SAM")) else (name, "")
    attack = shared.attack
    attacks = {
        "FGSM-RS": FGSMRS(eps=attack.eps, alpha=1.25 * attack.eps), "N-FGSM": NFGSM(eps=attack.eps),
        PLAIN: PGD(eps=0.0),
    }  # fmt: skip
    cls = next((cls for cls, called in METHODS.items() if called == base), Adversarial)
    knobs = {knob.name: getattr(shared, knob.name) for knob in knobs_of(Adversarial)}
    perturbation = {"AWP": awp, "SAM": SAM()}.get(part)
    return cls(**knobs | {"weight_perturbation": perturbation, "attack": attacks.get(base, attack)})


def live() -> Adversarial:
    """Settings with which two trainings of a small network from a trained start take less than two minutes on two
    cores. From first weights the same settings learn nothing on Scenes: there a training needs a start."""
    eps = 8 / 255
    return Adversarial(
        attack=PGD(eps=eps, alpha=eps / 2, steps=3), judge=PGD(eps=eps, alpha=eps / 4, steps=5), epochs=10,
        pictures=300, heldout=100, lr=0.02, batch_size=32,
    )  # fmt: skip


def attacked_by(shared: Any, attack: Any) -> Adversarial:
    """The training `shared` with another attack, a PGD, judged at the same ε."""
    judge: Any = shared.judge
    judged = dataclasses.replace(judge, eps=attack.eps, alpha=attack.eps / 4)
    return dataclasses.replace(shared, attack=attack, judge=judged)


def same_batches(one: RobustTraining, other: RobustTraining) -> bool:
    """Whether both draw the same pictures in the same order, from one seed."""
    alike = ("pictures", "heldout", "pseudo_labelled", "batch_size", "flip", "pad")
    return all(getattr(one, name) == getattr(other, name) for name in alike)
