"""Channels ranked by the oracle, beside what a defense says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.metrics import RANKINGS
from core.metrics.rankings import REPORTED, overlap, suspicion
from core.metrics.tac import pairs
from core.networks.report import report_of
from core.runs import Run
from lab.inputs import BACKDOOR, N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import backdoor_of, model_of, test_images
from lab.kinds.shared.snippet_lines import backdoor_line
from lab.kinds.shared.snippet_lines import test_images as test_images_line
from lab.kinds.shared.words import share
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Shares of the channels for which the overlap stands among the figures."""


def run(recipe: Recipe) -> Run[Result]:
    """Rank the channels of the recipe's model; of the result of a defense, those of the model it was given.

    figures : "overlap/<kind>/<share>", the share of the oracle's top channels that the defense's ranking has in its
        own top; the counts hold how many channels that are
    images : scores by layer, "tac/<layer>" and "<kind>/<layer>" (larger is more suspicious), (channels,);
        "tac_scale/<layer>" (), what form l2 of TAC is divided by, and "nwc_largest/<layer>" (channels, 3), the largest
        terms of NWC
    """
    last = recipe if isinstance(recipe.model, str) else recipe.model
    repaired = yield from model_of(recipe)
    model = yield from model_of(last)
    backdoor, result = backdoor_of(recipe, model), Result(recipe)
    if backdoor.trigger is None:
        raise ValueError(
            f"{model.card.ref} has no backdoor, so no channel answers to a trigger; choose a backdoored model."
        )
    test = test_images(recipe, model)
    images, stamped = pairs(test, **backdoor.arguments)
    method: Any = recipe.method
    tac, scales = yield from method.measured(model, images, stamped)
    result.images |= {f"tac_scale/{name}": value.cpu() for name, value in scales.items()}
    tac = {name: value.float().cpu() for name, value in tac.items()}
    result.images |= {f"tac/{name}": value for name, value in tac.items()}
    result.counts["pairs"] = len(images)
    report = report_of(repaired)
    result.images |= {name: value.cpu() for name, value in report.items() if name.startswith("nwc_largest/")}
    for kind in REPORTED:
        scores = suspicion(report, kind)
        if not scores:
            continue
        result.images |= {f"{kind}/{name}": value for name, value in scores.items()}
        channels = sum(len(scores[name]) for name in tac if name in scores)
        for top, value in zip(SHARES, overlap(scores, tac, SHARES), strict=True):
            result.figures[f"overlap/{kind}/{top:g}"] = value
            result.counts[f"overlap/{kind}/{top:g}"] = max(1, round(top * channels))
    result.notes["oracle"] = f"TAC, form {method.form}: it uses the trigger, which no defense may"
    return result


NAMES = {"nwc": "TSBD's weight change", "anp": "ANP's mask", "uclc": "CLP's bound", "rnp": "RNP's mask"}


def conclude(result: Result) -> Conclusion:
    """Agrees, partly, or no better than chance: how much of the oracle's top tenth the ranking finds."""
    named = {kind: f"overlap/{kind}/0.1" for kind in REPORTED}
    found = {kind: result.figures[name] for kind, name in named.items() if name in result.figures}
    if not found:
        told = f"The oracle ranks the channels by {result.counts['pairs']} pairs of pictures"
        return Conclusion("oracle alone", f"{told}; no defense's ranking is there to compare.")
    kind = max(found, key=lambda name: found[name])
    hit = share(found[kind], result.counts.get(named[kind]))
    told = f"{NAMES[kind]} finds {hit} of the oracle's top tenth of the channels, where chance finds 10 %"
    if found[kind] > 0.6:
        return Conclusion("agrees", f"{told}: it finds most of what the trigger moves.")
    if found[kind] > 0.15:
        return Conclusion("in part", f"{told}: more than chance, but not most.")
    return Conclusion("chance", f"{told}: no more than chance.")


def lines(script: Script, recipe: Recipe) -> None:
    """The oracle ranking of the model's channels, and how far a defense's own agrees with it."""
    script.use("core.runs", "finish")
    script.use("core.metrics.rankings", "REPORTED", "overlap", "suspicion")
    script.use("core.metrics.tac", "pairs")
    report = "{}" if isinstance(recipe.model, str) else "repaired.report"
    script.lines += [
        backdoor_line(script, recipe),
        test_images_line(script, recipe),
        f"method = {script.code(recipe.method)}",
        "tac = finish(method.run(model, *pairs(test, **attack)), bar=True)",
        f"found = {{kind: suspicion({report}, kind) for kind in REPORTED}}",
        "print({kind: overlap(scores, tac, [0.01, 0.05, 0.1]) for kind, scores in found.items() if scores})",
    ]


KIND = Kind(
    "ranking", RANKINGS, run, Snippet(lines, takes_result=False), taking(N, *BACKDOOR),
    needs_classes=True,
    scores=tuple(
        Score(
            f"overlap/{kind}/0.1", f"{NAMES[kind]}: of TAC's top tenth", kind, better="up",
            help="Share of the oracle's top tenth of the channels that are in the ranking's own; chance: 10 %.",
        )
        for kind in REPORTED
    ),
    conclude=conclude, outcomes=("agrees", "in part", "chance", "oracle alone"),
)  # fmt: skip
