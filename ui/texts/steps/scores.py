"""Scores step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.networks.report import by_layer
from ui.texts.steps.numbers import counted, known, name, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result

MOMENTS = {
    "": "", "before": "Before", "after": "After", "heldout": "On held-out pictures", "clean_model": "Clean model",
    "brightened": "Evenly brightened instead",
}  # fmt: skip


def _rate(result: Result, key: str, symbol: str, what: str) -> list[Step]:
    """A share at each moment of the result: how many of how many."""
    steps = []
    for moment, word in MOMENTS.items():
        figure = f"{moment}/{key}" if moment else key
        n = result.counts.get(figure)
        if figure in result.figures and n:
            value = result.figures[figure]
            told = f"{word}: {what[0].lower()}{what[1:]}" if word else what
            steps.append(Step(told, rf"\mathrm{{{symbol}}} = {counted(value, n)}"))
    return steps


def asr(result: Result, place: Place | None) -> list[Step]:
    """Counts of triggered pictures put into the target class."""
    return _rate(result, "asr", "ASR", "Triggered pictures put into the target class, of those that are not of it.")


def ra(result: Result, place: Place | None) -> list[Step]:
    """Counts of triggered pictures that are right."""
    return _rate(result, "ra", "RA", "Triggered pictures that are classified correctly, of those not of the target.")


def acc(result: Result, place: Place | None) -> list[Step]:
    """Counts of clean pictures that are right."""
    return _rate(result, "acc", "ACC", "Pictures without trigger that are classified correctly, of all.")


def agreement(result: Result, place: Place | None) -> list[Step]:
    """Counts of pictures on which both models agree."""
    return _rate(result, "agreement", "agreement", "Pictures that both models put into one class, of all.")


def der(result: Result, place: Place | None) -> list[Step]:
    """Both drops, and what they make."""
    found = result.figures
    if "der" not in found:
        return []
    drops = {}
    steps = []
    for key, what in (("asr", "attack success"), ("acc", "accuracy")):
        before, after = found[f"before/{key}"], found[f"after/{key}"]
        drops[key] = max(0.0, before - after)
        steps.append(Step(
            f"The drop in {what}, or 0 where it rose.",
            rf"\Delta^{{+}}_{{\mathrm{{{key.upper()}}}}} = \max(0,\, {tex(before)} - {tex(after)}) = {tex(drops[key])}",
        ))  # fmt: skip
    filled = rf"\tfrac{{1}}{{2}}\,({tex(drops['asr'])} - {tex(drops['acc'])} + 1) = {tex(found['der'])}"
    return [*steps, Step("Both together.", rf"\mathrm{{DER}} = {filled}")]


def bec(result: Result, place: Place | None) -> list[Step]:
    """The two similarities and their quotient."""
    found = result.figures
    if "bec" not in found:
        return []
    defended, clean = found["bec/similarity"], found["bec/clean"]
    filled = rf"\frac{{{tex(defended)} - {tex(clean)}}}{{1 - {tex(clean)}}} = {tex(found['bec'])}"
    return [
        Step("How similar the trigger's channels are in the defended and the backdoored model (CKA).",
             rf"S(D, A) = {tex(defended)}"),
        Step("The same of the clean model: what similarity there is without any backdoor.", rf"S(C, A) = {tex(clean)}"),
        Step("The backdoored model compared with itself.", "S(A, A) = 1"),
        Step("Where the defended model lies between the clean (0) and the backdoored one (1).",
             rf"\mathrm{{BEC}} = {filled}"),
    ]  # fmt: skip


def gap(result: Result, place: Place | None) -> list[Step]:
    """The counts behind the bars, and their difference, on the defended and on the clean model."""
    steps, words = [], {
        "trigger": "With the trigger alone.", "reactivated": "With the trigger and the perturbation.",
        "clean_universal": "With a perturbation of the same size, found on pictures without trigger.",
    }  # fmt: skip
    for bar, what in words.items():
        if (key := f"asr/{bar}") in result.figures:
            steps.append(Step(what, counted(result.figures[key], result.counts[key])))
    for head, whom in (("", "The gap on the repaired model."), ("clean_model/", "The same gap on a clean model.")):
        if f"{head}gap" in result.figures:
            both, alone = (result.figures[f"asr/{head}{bar}"] for bar in ("reactivated", "clean_universal"))
            steps.append(Step(whom, rf"{tex(both)} - {tex(alone)} = {tex(result.figures[f'{head}gap'])}"))
    return steps


def auroc(result: Result, place: Place | None) -> list[Step]:
    """How many pairs of a triggered and a clean suspect stand in the right order."""
    if "auroc" not in result.figures or "truth" not in result.per_image:
        return []
    poison = sum(result.per_image["truth"])
    clean, value = len(result.per_image["truth"]) - poison, result.figures["auroc"]
    return [
        Step("Every triggered suspect is compared with every clean one.",
             rf"{poison} \cdot {clean} = {poison * clean} \text{{ pairs}}"),
        Step("Pairs in which the triggered one scores higher (a tie counts half).",
             rf"\mathrm{{AUROC}} = {counted(value, poison * clean)}"),
    ]  # fmt: skip


def found_at(result: Result, place: Place | None) -> list[Step]:
    """How many triggered suspects lie above the score that 5 % of the clean ones reach."""
    if "tpr/5" not in result.figures or "truth" not in result.per_image:
        return []
    n, value = result.counts["tpr/5"], result.figures["tpr/5"]
    clean = len(result.per_image["truth"]) - sum(result.per_image["truth"])
    return [
        Step("Clean suspects that may be flagged.", rf"0.05 \cdot {clean} = {tex(0.05 * clean)}"),
        Step("Triggered suspects above the score at which that many are.",
             rf"\mathrm{{TPR}} = {counted(value, n)}"),
    ]  # fmt: skip


def alarms(result: Result, place: Place | None) -> list[Step]:
    """How many clean suspects the method flags at its own threshold."""
    return _shares(result, {"own/fpr": "Clean suspects that the method flags at its own threshold, of all clean ones."})


def success(result: Result, place: Place | None) -> list[Step]:
    """How many pictures are fooled, by the attack and by its controls."""
    return _shares(result, {
        "success": "The attack, on the pictures that were right before.",
        "global/success": "The same attack with every pixel free.",
        "control/success": "A random change of the same size.",
    })  # fmt: skip


def kept(result: Result, place: Place | None) -> list[Step]:
    """How many pictures the region alone fools, of those that the whole picture's attack fools."""
    what = "Pictures that the region alone fools, of those that the attack on all pixels fools."
    return _shares(result, {"kept": what})


def _shares(result: Result, words: dict[str, str]) -> list[Step]:
    """A step with the count behind each share, by its key, that the run has."""
    return [
        Step(what, counted(result.figures[key], n))
        for key, what in words.items() if key in result.figures and (n := result.counts.get(key))
    ]  # fmt: skip


def size(result: Result, place: Place | None) -> list[Step]:
    """The size of the first picture's change, in both norms."""
    if "perturbation" not in result.images:
        return []
    change = result.images["perturbation"][0].float()
    moved = int((change.abs() > 1e-6).sum())
    return [
        Step("The first picture: the largest change of one value.",
             rf"\lVert x' - x \rVert_\infty = {tex(float(change.abs().max()))}"),
        Step(f"Its squared changes, added up over the {moved} values that change, and the root.",
             rf"\lVert x' - x \rVert_2 = \sqrt{{{tex(float(change.square().sum()))}}} = {tex(float(change.norm()))}"),
    ]  # fmt: skip


def tac(result: Result, place: Place | None) -> list[Step]:
    """One channel: its mean change, the layer's norm, and their quotient."""
    scores, scales = by_layer(result.images, "tac"), by_layer(result.images, "tac_scale")
    if not scores:
        return []
    layer, channel = known(scores, place)
    value = float(scores[layer][channel])
    first = f"Channel {channel} of {layer}, over {result.counts['pairs']} pictures with and without the trigger."
    if layer not in scales:
        return [Step(f"{first} The mean change, added up over its pixels.", rf"\mathrm{{TAC}} = {tex(value)}")]
    scale = float(scales[layer])
    return [
        Step(f"{first} The mean norm of the change of its map.",
             rf"\mathbb{{E}}_x \lVert h(T(x)) - h(x) \rVert_2 = {tex(value * scale)}"),
        Step("The mean norm of the whole layer's output.", rf"Z_{{{name(layer)}}} = {tex(scale)}"),
        Step("The channel's share of it.",
             rf"\mathrm{{TAC}} = \frac{{{tex(value * scale)}}}{{{tex(scale)}}} = {tex(value)}"),
    ]  # fmt: skip


def overlap(result: Result, place: Place | None) -> list[Step]:
    """How many of the oracle's top tenth each ranking has in its own."""
    steps = []
    for key, value in result.figures.items():
        head, _, tail = key.partition("/")
        if head == "overlap" and tail.endswith("/0.1"):
            k = result.counts[key]
            steps.append(Step(
                f"{tail.split('/')[0].upper()}: of the {k} channels with the largest TAC, those in its own top {k}.",
                rf"\frac{{{tex(value * k)}}}{{{k}}} = {tex(value)}",
            ))  # fmt: skip
    return steps
