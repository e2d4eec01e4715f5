"""The attacks that are compared, and how each library is asked for the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from core.attacks import APGD, FAB, FGSM, MIFGSM, PGD, CarliniWagner, DeepFool, Square

EPS, ALPHA, STEPS = 1 / 255, 0.25 / 255, 10
L2_EPS, L2_ALPHA = 0.1, 0.025
QUERIES = 100

Maker = Callable[..., Any]
"""The library's attacks, and the net or what stands for it, to one of them."""


@dataclass(frozen=True)
class Case:
    """One attack, with the same setting in each library that has it.

    peers : library -> what makes its attack;  passes : forward and backward passes of the bare loop, where it is known
    turns : how often all of them are timed
    """

    name: str
    setting: str
    ours: Any
    peers: dict[str, Maker] = field(default_factory=dict)
    passes: int = 0
    turns: int = 2


def ball(**more: Any) -> dict[str, Any]:
    return {"eps": EPS, "alpha": ALPHA, "steps": STEPS} | more


PLAIN = PGD(**ball(random_start=False, stop_early=False))
IN_L2 = replace(PLAIN, norm="l2", eps=L2_EPS, alpha=L2_ALPHA)
ART_PGD = {"eps": EPS, "eps_step": ALPHA, "max_iter": STEPS, "verbose": False}

CASES = [
    Case(
        "FGSM", "ε = 1/255", FGSM(eps=EPS),
        {
            "torchattacks": lambda lib, net: lib.FGSM(net, eps=EPS),
            "foolbox": lambda lib, net: (lib.LinfFastGradientAttack(random_start=False), EPS),
            "ART": lambda lib, net: lib.FastGradientMethod(net, eps=EPS),
        },
        passes=1, turns=9,
    ),
    Case(
        "PGD L∞", "ε = 1/255, 10 steps", PLAIN,
        {
            "torchattacks": lambda lib, net: lib.PGD(net, eps=EPS, alpha=ALPHA, steps=STEPS, random_start=False),
            "foolbox": lambda lib, net: (lib.LinfPGD(abs_stepsize=ALPHA, steps=STEPS, random_start=False), EPS),
            "ART": lambda lib, net: lib.ProjectedGradientDescentPyTorch(net, **ART_PGD),
        },
        passes=STEPS, turns=5,
    ),
    Case(
        "PGD L∞, solved pictures dropped", "ε = 1/255, 10 steps", replace(PLAIN, stop_early=True),
        {"torchattacks": lambda lib, net: lib.PGD(net, eps=EPS, alpha=ALPHA, steps=STEPS, random_start=False)},
        turns=3,
    ),
    Case(
        "PGD L∞, solved pictures dropped", "ε = 8/255, 40 steps", PGD(alpha=1 / 255, steps=40, random_start=False),
        {"torchattacks": lambda lib, net: lib.PGD(net, eps=8 / 255, alpha=1 / 255, steps=40, random_start=False)},
    ),
    Case(
        "PGD L2", "ε = 0.1, 10 steps", IN_L2,
        {
            "torchattacks": lambda lib, net: lib.PGDL2(
                net, eps=L2_EPS, alpha=L2_ALPHA, steps=STEPS, random_start=False
            ),
            "foolbox": lambda lib, net: (
                lib.L2ProjectedGradientDescentAttack(abs_stepsize=L2_ALPHA, steps=STEPS, random_start=False), L2_EPS,
            ),
        },
        passes=STEPS, turns=3,
    ),
    Case(
        "MI-FGSM", "ε = 1/255, 10 steps", MIFGSM(**ball(stop_early=False)),
        {"torchattacks": lambda lib, net: lib.MIFGSM(net, eps=EPS, alpha=ALPHA, steps=STEPS, decay=1.0)},
        passes=STEPS, turns=3,
    ),
    Case(
        "DeepFool", "L2, 50 steps at most, 10 classes", DeepFool(),
        {
            "torchattacks": lambda lib, net: lib.DeepFool(net, steps=50, overshoot=0.02),
            "foolbox": lambda lib, net: (lib.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02), None),
            "ART": lambda lib, net: lib.DeepFool(
                net, max_iter=50, epsilon=0.02, nb_grads=10, batch_size=16, verbose=False
            ),
        },
        turns=1,
    ),
    Case(
        "Carlini-Wagner", "L2, 4 rounds of 30 steps", CarliniWagner(rounds=4, steps=30, c=0.1, lr=0.02),
        {
            "foolbox": lambda lib, net: (
                lib.L2CarliniWagnerAttack(binary_search_steps=4, steps=30, stepsize=0.02, initial_const=0.1), None,
            ),
        },
        turns=1,
    ),
    Case(
        "APGD-CE", "L∞, ε = 1/255, 20 steps", APGD(eps=EPS, steps=20, stop_early=False),
        {
            "torchattacks": lambda lib, net: lib.APGD(net, eps=EPS, steps=20),
            "ART": lambda lib, net: lib.AutoProjectedGradientDescent(
                net, eps=EPS, eps_step=2 * EPS, max_iter=20, nb_random_init=1, verbose=False
            ),
        },
    ),
    Case(
        "FAB-T", "L∞, 20 steps to the likeliest class", FAB(steps=20, targets=1),
        {"torchattacks": lambda lib, net: lib.FAB(net, eps=1.0, steps=20, multi_targeted=True, n_classes=2)},
    ),
    Case(
        "Square", f"L∞, ε = 4/255, {QUERIES} queries", Square(eps=4 / 255, queries=QUERIES),
        {
            "torchattacks": lambda lib, net: lib.Square(net, eps=4 / 255, n_queries=QUERIES),
            "ART": lambda lib, net: lib.SquareAttack(net, eps=4 / 255, max_iter=QUERIES, p_init=0.8, verbose=False),
        },
        turns=1,
    ),
]  # fmt: skip
