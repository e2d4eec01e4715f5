"""What came out of a robust training: robust or not, on which pictures, and what the one beside it gave."""

from __future__ import annotations

from lab.kinds.kind import Conclusion
from lab.kinds.shared.beside import ALONE, BESIDE, beside
from lab.kinds.shared.cost import BOUNDS, MORE
from lab.kinds.shared.setting import method_of
from lab.kinds.shared.words import of_all, percent, share
from lab.results import Result
from lab.robust_names import same_batches

OVERFITTED = 0.1
"""A robust gap from which on a network is said to be robust on its training pictures above all."""
MARGIN = 0.05
"""What a robust accuracy must lie above that of a network without such a training, to count."""
OUTCOMES = ("robust", "overfitted", "catastrophic", "not robust", "diverged")


def conclude(result: Result) -> Conclusion:
    """Whether the network is robust, and only on what it learned from; beside it, the second training."""
    found, n, name = result.figures, result.counts["after/robust"], result.notes["method"]
    acc, robust, gap = found["after/acc"], found["after/robust"], found["gap"]
    told = (
        f"After {name} the network is right on {of_all(acc, n, 'test pictures')} without an attack, and on "
        f"{share(robust, n)} under {attack_words(result)}"
    )
    other = _other(result)
    if acc < found["chance"] + MARGIN:
        return Conclusion("diverged", f"{told}: chance is {percent(found['chance'])}, so it has learned nothing; lower "
                          f"the learning rate, or start from a trained model.{other}")  # fmt: skip
    if method_of(result.recipe).attack.steps == 1 and robust < MARGIN and found["fgsm"] >= robust + 0.15:
        return Conclusion("catastrophic", f"{told}, but on {share(found['fgsm'], n)} under a single step: catastrophic "
                          f"overfitting to the one-step attack that it was trained with.{other}")  # fmt: skip
    floor, whose = _floor(result)
    if floor is not None and robust < floor + MARGIN:
        return Conclusion("not robust", f"{told}: {whose} reaches {share(floor, n)}.{other}")
    trained_on = result.counts["train/robust"]
    seen = f"{told}, on {of_all(found['train/robust'], trained_on, 'training pictures')}"
    if gap >= OVERFITTED:
        return Conclusion("overfitted", f"{seen}: robust above all on what it learned from, a gap of {points(gap)}."
                          f"{other}")  # fmt: skip
    return Conclusion("robust", f"{seen}: a gap of {points(gap)}.{other}")


def attack_words(result: Result) -> str:
    """ "PGD (10 steps, ε = 8/255)", the attack that the scores are measured by."""
    judge = method_of(result.recipe).judge
    return f"{type(judge).__name__} ({judge.steps} steps, ε = {255 * judge.eps:.3g}/255)"


def points(value: float) -> str:
    """ "18.5 points"."""
    return f"{100 * value:.1f} points"


def _floor(result: Result) -> tuple[float | None, str]:
    """The robust accuracy of a network without this training, and which it is."""
    if "clean_model/robust" in result.figures:
        return result.figures["clean_model/robust"], "a plainly trained network"
    return result.figures.get("before/robust"), "the model before it"


def _other(result: Result) -> str:
    """What the second training gave, in a sentence; "" where there is none."""
    found, n = result.figures, result.counts["after/robust"]
    if f"{BESIDE}robust" not in found:
        return ""
    first, second = method_of(result.recipe), beside(result.recipe)
    batches = " and the same batches" if same_batches(first, second) else ""
    return (
        f" {result.notes['beside']} from the same start{batches}: {share(found[f'{BESIDE}robust'], n)} under attack, a "
        f"gap of {points(found[f'{BESIDE}gap'])}."
    )


SAME = 0.02
"""Gaps that differ by less are told as the same."""


def change(result: Result) -> Conclusion:
    """What the first training changed about the robust gap, beside the second."""
    found, n = result.figures, result.counts["after/robust"]
    if f"{BESIDE}gap" not in found:
        return Conclusion(ALONE, "Only one training was run, so there is nothing to compare it with.")
    name, other = result.notes["method"], result.notes["beside"]
    told = (
        f"The robust gap is {points(found['gap'])} with {name} and {points(found[f'{BESIDE}gap'])} with {other}; under "
        f"attack they get {share(found['after/robust'], n)} and {of_all(found[f'{BESIDE}robust'], n, 'test pictures')} "
        "right."
    )
    less = found[f"{BESIDE}gap"] - found["gap"]
    return Conclusion("same gap" if abs(less) < SAME else "smaller gap" if less > 0 else "larger gap", told)


def cost(result: Result) -> Conclusion:
    """What the first training costs in clean accuracy, beside the second."""
    found, n = result.figures, result.counts["after/acc"]
    if f"{BESIDE}acc" not in found:
        return Conclusion(ALONE, "Only one training was run, so there is nothing to compare it with.")
    lost = found[f"{BESIDE}acc"] - found["after/acc"]
    told = (
        f"Without an attack {result.notes['method']} gets {share(found['after/acc'], n)} right and "
        f"{result.notes['beside']} {of_all(found[f'{BESIDE}acc'], n, 'test pictures')}, a difference of "
        f"{100 * (found['after/acc'] - found[f'{BESIDE}acc']):+.1f} points."
    )
    return Conclusion(next((name for name, most in BOUNDS.items() if lost <= most), MORE), told)


CHANGES = ("smaller gap", "same gap", "larger gap", ALONE)
COSTS = (*BOUNDS, MORE, ALONE)
"""The outcomes of both questions."""
