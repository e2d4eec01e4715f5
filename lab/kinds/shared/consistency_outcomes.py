"""What came out of a training by explanation consistency: what the network looks at, and what the one beside it did."""

from __future__ import annotations

from core.training.explanation_consistency.sample_weights import PLAIN
from lab.consistency_names import WORDS
from lab.kinds.kind import Conclusion
from lab.kinds.shared.beside import ALONE, BESIDE
from lab.kinds.shared.words import of_all, percent, share
from lab.results import Result

LARGE = 0.05
"""A loss of accuracy with the background from which on a network is said to use it."""
MARGIN = 0.05
"""What accuracy must lie above chance."""
SAME = 0.02
"""Accuracies that differ by less are told as the same."""
SAME_E = 0.01
"""The same of a mean E."""
OUTCOMES = ("object", "background", "diverged")


def conclude(result: Result) -> Conclusion:
    """Whether the network tells the class by the object; before it, and beside it."""
    found, n, name = result.figures, result.counts["after/acc"], result.notes["method"]
    acc, shuffled = found["after/acc"], found["after/shuffled"]
    told = (
        f"After {_after(name)} the network is right on {of_all(acc, n, 'test pictures')} with backgrounds as in "
        f"training, and on {share(shuffled, n)} with shuffled ones"
    )
    if "before/shuffled" in found:
        told += f" ({share(found['before/shuffled'], n)} before)"
    if acc < found["chance"] + MARGIN:
        return Conclusion("diverged", f"{told}: chance is {percent(found['chance'])}, so it has learned nothing; lower "
                          f"the learning rate, or start from a trained model.{_other(result)}")  # fmt: skip
    alone = f"shown the background alone it tells {share(found['after/background'], n)}"
    if acc - shuffled >= LARGE:
        return Conclusion("background", f"{told}: many answers rest on the background, and {alone}.{_other(result)}")
    return Conclusion("object", f"{told}: its answers rest on the object, and {alone}.{_other(result)}")


def _after(name: str) -> str:
    return name if name == WORDS[PLAIN] else f"training with {name}"


def _other(result: Result) -> str:
    """What the second training gave, in a sentence; "" where there is none."""
    found, n = result.figures, result.counts["after/acc"]
    if f"{BESIDE}acc" not in found:
        return ""
    other = _after(result.notes["beside"])
    return (
        f" {other[0].upper()}{other[1:]} from the same start: {share(found[f'{BESIDE}acc'], n)} and "
        f"{share(found[f'{BESIDE}shuffled'], n)}."
    )


CHANGES = ("higher", "same", "lower", ALONE)
STABLE = ("more stable", "as stable", "less stable", ALONE)
"""The outcomes of both questions."""


def change(result: Result) -> Conclusion:
    """What the first training changed about accuracy on shuffled backgrounds, beside the second."""
    found, n = result.figures, result.counts["after/shuffled"]
    if f"{BESIDE}shuffled" not in found:
        return Conclusion(ALONE, "Only one training was run, so there is nothing to compare it with.")
    more = found["after/shuffled"] - found[f"{BESIDE}shuffled"]
    told = (
        f"On the same {n} pictures with shuffled backgrounds {_after(result.notes['method'])} gets "
        f"{share(found['after/shuffled'], n)} right and {_after(result.notes['beside'])} "
        f"{share(found[f'{BESIDE}shuffled'], n)}, a difference of {100 * more:+.1f} points."
    )
    return Conclusion("same" if abs(more) < SAME else "higher" if more > 0 else "lower", told)


def stable(result: Result) -> Conclusion:
    """Whether explanations survive the attack better than after the second training."""
    found, n = result.figures, result.counts["after/consistency"]
    if f"{BESIDE}consistency" not in found:
        return Conclusion(ALONE, "Only one training was run, so there is nothing to compare it with.")
    first, second = found["after/consistency"], found[f"{BESIDE}consistency"]
    told = (
        f"Mean E over {n} training pictures: {first:.3f} after {_after(result.notes['method'])}, {second:.3f} after "
        f"{_after(result.notes['beside'])}."
    )
    more = first - second
    return Conclusion("as stable" if abs(more) < SAME_E else "more stable" if more > 0 else "less stable", told)
