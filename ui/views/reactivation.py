"""What a re-activation shows beside its charts: the pictures, and what BEC says that the attack success does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.kinds.shared.words import share
from ui.widgets.images import View, magnified, pixels

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result

SMALL = 0.2
"""Below this share the trigger alone is said to work no more; below this BEC, little of the backdoor to be left."""


def waiting(pictures: Tensor) -> list[View]:
    """The chosen picture, without and with its trigger."""
    words = ("plain", "with the trigger")[: len(pictures)]
    return [View(pixels(one), word, f"The chosen picture, {word}") for one, word in zip(pictures, words, strict=True)]


def woken(result: Result, names: Sequence[str]) -> list[View]:
    """One picture, plain, with trigger, with both; and the perturbation, magnified."""
    change, factor = magnified(result.images["delta"])
    views = []
    for key, word in (("original", "plain"), ("triggered", "trigger"), ("reactivated", "trigger + perturbation")):
        says = names[result.per_image[key][0]]
        views.append(
            View(pixels(result.images[key][0]), f"{word}  \n**{says}**", f"{word}: the repaired model says {says}")
        )
    return [*views, View(pixels(change), f"the perturbation, ×{factor}", f"The perturbation, magnified {factor} times")]


def existence(result: Result) -> str:
    """What BEC says beside the attack success of the trigger alone; "" where no BEC was due."""
    found = result.figures
    if "bec" not in found:
        return result.notes.get("bec", "")
    bec, asr = found["bec"], found["asr/trigger"]
    told = (
        f"**BEC {bec:.2f}** compares how the channels that the trigger moves most answer to it: 1 is as in the "
        f"backdoored model, 0 as in the clean one ({result.notes['bec'].split(';')[0]})."
    )
    if not 0 <= bec <= 1:
        where = "further from the backdoored one than the clean model is" if bec < 0 else "beyond the backdoored one"
        return f"{told} It lies outside of 0 to 1: by this measure the repaired model is {where}."
    alone = f"the trigger alone reaches the target in {share(asr, result.counts.get('asr/trigger'))} of the pictures"
    if asr >= SMALL:
        return f"{told} Here {alone}, so that the backdoor shows without it."
    if bec < SMALL:
        return f"{told} Here {alone}, and BEC is small too."
    return (
        f"{told} Here {alone}, yet its channels still answer to it: a small attack success does not show that the "
        "backdoor has left the network."
    )
