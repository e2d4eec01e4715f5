"""A robustness report: the figures of one network from five sides, for a file that stands alone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from core.attacks import REPORTS, RobustReport
from core.runs import Progress, Run, mapped
from lab import loading
from lab.inputs import N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import method_of, model_of, require_classes, size_of
from lab.kinds.shared.words import of_all, share
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

PICTURES = 200
"""Test pictures that all but AutoAttack is measured on where the recipe says no n."""
CASCADE = "autoattack"
CORRUPTED, REGION = "corruption/", "region/"


def run(recipe: Recipe) -> Run[Result]:
    """Measure the recipe's model on the first n test pictures.

    figures : "acc", "survives" (PGD at ε), "control/survives" (noise of that size), "autoattack" (its first pictures),
        "worst" (the least robust class), "corrupted" (mean over the corruptions but occlusion), "corruption/<name>",
        "region/<name>"
    images : "budgets", "robust" and "noise" (B,); "classes" (K, 4), class, accuracy, robust accuracy and n; "stages"
        (S, 3), attacked, broken and passes
    notes : "worst", its name; "stages", their names, "warnings" and "classes", each joined by "; "
    """
    model = yield from model_of(recipe)
    data = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", PICTURES), size=size_of(model))
    require_classes(recipe, model, data)
    found: RobustReport = yield from mapped(method_of(recipe).run(model, data, seed=recipe.seed), _told)
    result = Result(recipe)
    result.figures |= {
        "acc": found.right.float().mean().item(), "survives": found.curve.robust[-1].item(),
        "control/survives": found.curve.noise[-1].float().mean().item(),
        "corrupted": sum(s for name, s in found.corrupted.items() if name != "occlusion") / (len(found.corrupted) - 1),
    }  # fmt: skip
    result.figures |= {CORRUPTED + name: value for name, value in found.corrupted.items()}
    result.figures |= {REGION + name: value for name, value in found.regions.items()}
    result.counts |= dict.fromkeys(result.figures, len(data))
    result.figures[CASCADE], result.counts[CASCADE] = found.cascade.report["robust"], len(found.cascade)
    worst = min(found.by_class, key=lambda k: (found.by_class[k][1], found.by_class[k][0]))
    result.figures["worst"], result.counts["worst"] = found.by_class[worst][1:]
    _tables(result, found)
    names = model.class_names
    result.notes |= {"worst": names[worst], "classes": "; ".join(names[k] for k in found.by_class)}
    return result


def _told(progress: Progress) -> Progress:
    """The curve's live score by the name that pages know it by."""
    metrics = {"survives" if name == "robust" else name: value for name, value in progress.metrics.items()}
    return dataclasses.replace(progress, metrics=metrics)


def _tables(result: Result, found: RobustReport) -> None:
    curve, stages = found.curve, found.cascade.report["stages"]
    result.images |= {
        "budgets": curve.budgets, "robust": curve.robust, "noise": curve.noise.double().mean(1),
        "classes": torch.tensor([[k, *shares] for k, shares in found.by_class.items()]),
        "stages": torch.tensor([[each.attacked, each.broken, each.queries] for each in stages]).reshape(-1, 3),
    }  # fmt: skip
    result.notes["stages"] = "; ".join(each.name for each in stages)
    result.notes["warnings"] = "; ".join(found.cascade.report["warnings"])


FRAGILE, STRONG = 0.1, 0.5
"""Shares of the clean accuracy under AutoAttack below which a network is called fragile, and from which on robust."""


def conclude(result: Result) -> Conclusion:
    """What AutoAttack leaves of the accuracy, and where the network is weakest."""
    found, counts, method = result.figures, result.counts, method_of(result.recipe)
    n = counts["acc"]
    if not found["acc"]:
        return Conclusion("nothing right", f"None of {n} test pictures is right without an attack, so nothing is lost.")
    weakest = min((name for name in found if name.startswith(CORRUPTED)), key=lambda name: found[name])
    budget = f"ε = {255 * method.eps:.3g}/255" + ("" if method.norm == "linf" else " (its counterpart in L2)")
    right = share(found["worst"], counts["worst"])
    worst = f"Least robust under PGD is the class {result.notes['worst']} ({right} right)"
    if not found["survives"]:
        worst = "Under PGD no class keeps a picture"
    told = (
        f"Right are {of_all(found['acc'], n, 'test pictures')} without an attack, {share(found['survives'], n)} under "
        f"PGD at {budget}, and {of_all(found[CASCADE], counts[CASCADE])} under AutoAttack. {worst}; of the "
        f"corruptions {weakest.removeprefix(CORRUPTED)} costs most ({share(found[weakest], n)} right)."
    )
    left = found[CASCADE] / found["acc"]
    return Conclusion("fragile" if left < FRAGILE else "in part" if left < STRONG else "robust", told)


def lines(script: Script, recipe: Recipe) -> None:
    """Measure and print."""
    script.use("core.runs", "finish")
    script.lines += [
        f'test = load_data({script.data(recipe)}, "test", limit={recipe.inputs.get("n", PICTURES)}, {SIZE})',
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, test, seed={recipe.seed}), bar=True)",
        "print(found.curve.robust, found.cascade.report, found.by_class, found.corrupted, found.regions)",
    ]


KIND = Kind(
    "report", REPORTS, run, Snippet(lines), taking(N), needs_classes=True,
    scores=(
        Score("acc", "Accuracy", better="up", help="Share of the test pictures that are right without an attack."),
        Score("survives", "Under PGD", better="up", live=True,
              help="Share that is right under PGD at ε and at all smaller budgets."),
        Score(CASCADE, "Under AutoAttack", better="up",
              help="Share of the first pictures that survives APGD, APGD-T, FAB-T and Square in turn."),
        Score("worst", "Worst class", better="up",
              help="The least robust class: share of its pictures that is right under PGD."),
        Score("corrupted", "Corrupted", better="up",
              help="Share that is right under noise, blur, contrast, brightness, pixelation and JPEG, their mean."),
        Score(f"{REGION}square", "Square attacked", better="up",
              help="Share that is right under PGD that may change only a centred square of 28.7 % of the area."),
    ),
    conclude=conclude, outcomes=("fragile", "in part", "robust", "nothing right"),
)  # fmt: skip
