"""Every registered attack as it stands beside the others: one for each norm, at one budget."""

from __future__ import annotations

from typing import Any

from core.attacks import ATTACKS, AutoAttack, Regional
from core.attacks.shared.budget import radius
from core.knobs import Method, knobs_of

NORMS = {"linf": "L∞", "l2": "L2", "l1": "L1"}
SHORT = {"targets": 2, "queries": 300}
"""Classes aimed at in turn and queries without gradients, so that no attack takes longer than a few seconds."""
SOME = ("FGSM", "PGD L∞", "PGD L2", "MIFGSM", "DeepFool L2", "Square L∞")
"""Those of them that a visitor sees first: fast ones, gradients, the nearest boundary, and no gradient."""
ELSEWHERE = (Regional, AutoAttack)
"""`Regional` has a page of its own; `AutoAttack` is others of these in turn, for minutes on a robust network."""


def variants(eps: float, size: tuple[int, int]) -> dict[str, Method]:
    """The attacks by name, in the order of the registry, for pictures of height and width `size`.

    eps is the budget in L-infinity; in another norm it is the usual counterpart (`core.attacks.shared.budget`). What
    has no budget looks for the smallest change. A step, where an attack has one, is a quarter of the budget.
    """
    return {name: method for cls in ATTACKS if cls not in ELSEWHERE for name, method in _of(cls, eps, size)}


def chosen(eps: float, size: tuple[int, int], which: str) -> dict[str, Method]:
    """Those of `variants` that a recipe asks for: "some" or "all"."""
    found = variants(eps, size)
    return found if which == "all" else {name: found[name] for name in SOME}


def _of(cls: type[Method], eps: float, size: tuple[int, int]) -> list[tuple[str, Method]]:
    knobs = {k.name: k for k in knobs_of(cls)}
    norms = knobs["norm"].choices or () if "norm" in knobs else ("linf",)
    found = []
    for norm in norms:
        values: dict[str, Any] = {"norm": norm} if "norm" in knobs else {}
        largest = radius(eps, norm, size)
        values |= {name: share * largest for name, share in (("eps", 1.0), ("alpha", 0.25)) if name in knobs}
        values |= {name: value for name, value in SHORT.items() if name in knobs}
        found.append((f"{cls.__name__} {NORMS[norm]}" if len(norms) > 1 else cls.__name__, cls(**values)))
    return found
