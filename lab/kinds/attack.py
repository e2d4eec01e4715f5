"""An attack on inputs: the run, a random change of the same size as control, and local against global."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from core.attacks import ATTACKS, Adversarial, Regional, drawn, fitted
from core.networks.predictions import predict
from core.runs import Progress, Run
from lab import loading
from lab.inputs import IMAGES, TARGET, N, taking
from lab.inputs import model as model_input
from lab.inputs import models as models_input
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared import regional, regional_outcomes
from lab.kinds.shared.mask import MASK
from lab.kinds.shared.pictures import FEW, Batch, many, pictures
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import model_of, require_target
from lab.kinds.shared.snippet_lines import batch as batch_lines
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

KEPT_PICTURES = 16
"""Pictures that a result of a large batch still shows."""


def run(recipe: Recipe) -> Run[Result]:
    """Attack the recipe's pictures.

    figures : "success" (share of the pictures that were right before and reach the attack's goal), "source_success",
        "l0", "l2", "linf", "steps", "queries" (means over the successes), "control/success" (a random change of the
        same size); those of Regional: see `lab.kinds.shared.regional`
    images : original, adversarial, perturbation (signed), for Regional also region, global and global/perturbation
    per_image : index, label, before, after, judge, success, l0, l2, linf, steps
    """
    model = yield from model_of(recipe)
    batch = pictures(recipe, model)
    judge = _judge(recipe, model)
    result = Result(recipe)
    arguments = _arguments(recipe, model, batch, judge)
    found = yield from _attack(recipe.method, model, batch, arguments)
    verdict = judge or model
    before = predict(model, batch.data.pixels).argmax(1)
    own = before == batch.labels.to(before.device)
    right = own if judge is None else own & found.report["kept"]
    _figures(result, found, right)
    _pictures(result, recipe, batch, found)
    _answers(result, model, judge, batch, before, found)
    noisy = yield from _control(result, verdict, batch, found, right)
    if isinstance(recipe.method, Regional):
        yield from regional.beside(result, model, judge, batch, arguments, found, noisy, own)
    if batch.own_words:
        result.notes["labels"] = "the model's own answers, since it does not know these pictures' classes"
    return result


def _judge(recipe: Recipe, model: Classifier) -> Classifier | None:
    asked = [name for name in ("judge", "judges") if name in recipe.inputs]
    if asked and not isinstance(recipe.method, Regional):
        raise ValueError(f"{type(recipe.method).__name__} takes no {asked[0]}; Regional does.")
    return loading.classifier(recipe.inputs["judge"]) if "judge" in recipe.inputs else None


def _arguments(recipe: Recipe, model: Classifier, batch: Batch, judge: Classifier | None) -> dict[str, Any]:
    """What the attack is given beside model, images and labels."""
    height, width = batch.data.images.shape[2:]
    mask = recipe.inputs.get("mask")
    arguments: dict[str, Any] = {"seed": recipe.seed, "mask": None if mask is None else drawn(mask, height, width)}
    target = recipe.inputs.get("target")
    if target is not None:
        require_target(target, model)
        arguments["target"] = target
    if judge is not None:
        arguments["judge"] = judge
    return arguments


def _attack(method: Any, model: Classifier, batch: Batch, arguments: dict[str, Any]) -> Run[Adversarial]:
    known = inspect.signature(method.run).parameters
    given = {name: value for name, value in arguments.items() if name in known}
    return (yield from method.run(model, batch.data.pixels, batch.labels, **given))


def _figures(result: Result, found: Adversarial, right: Tensor) -> None:
    """Shares over the pictures that were right before; means of norms over the successes among them."""
    n, won = int(right.sum()), found.success & right
    for name, hits in (("success", found.success), ("source_success", found.source_success)):
        if n:
            result.figures[name], result.counts[name] = hits[right].float().mean().item(), n
    successes = int(won.sum())
    if successes:
        means = {**found.norms, "steps": found.steps.float(), "queries": found.queries.float()}
        for name, values in means.items():
            result.figures[name], result.counts[name] = values[won].float().mean().item(), successes


def _pictures(result: Result, recipe: Recipe, batch: Batch, found: Adversarial) -> None:
    shown = slice(0, KEPT_PICTURES if many(recipe) else None)
    original, adversarial = batch.data.pixels[shown], found.images[shown]
    result.images |= {"original": original, "adversarial": adversarial, "perturbation": adversarial - original}
    if "region" in found.report:
        result.images["region"] = found.report["region"][shown]


def _answers(
    result: Result, model: nn.Module, judge: Classifier | None, batch: Batch, before: Tensor, found: Adversarial
) -> None:
    result.per_image |= {
        "index": batch.index,
        "label": batch.labels.tolist(),
        "before": before.tolist(),
        "after": predict(model, found.images).argmax(1).tolist(),
        "success": found.success.tolist(),
        "steps": found.steps.tolist(),
    } | {name: [round(value, 6) for value in values.tolist()] for name, values in found.norms.items()}
    if judge is not None:
        result.per_image["judge"] = predict(judge, fitted(judge, found.images)).argmax(1).tolist()
    if "target" in found.report:
        result.per_image["target"] = found.report["target"].tolist()


def _control(result: Result, verdict: Classifier, batch: Batch, found: Adversarial, right: Tensor) -> Run[Tensor]:
    """The same change with random signs: as large in every norm, and blind; the pictures with it."""
    generator = torch.Generator().manual_seed(result.recipe.seed)
    original = batch.data.pixels
    change = found.images - original
    signs = torch.randint(0, 2, change.shape, generator=generator).to(change) * 2 - 1
    noisy = (original + change.abs() * signs).clamp(0, 1)
    answers = predict(verdict, fitted(verdict, noisy)).argmax(1)
    # Regional drives its source to a target, but counts, like an untargeted attack, that the label is left.
    target = None if isinstance(result.recipe.method, Regional) else result.recipe.inputs.get("target")
    hit = answers == target if target is not None else answers != batch.labels.to(answers)
    if bool(right.any()):
        result.figures["control/success"] = hit[right].float().mean().item()
        result.counts["control/success"] = int(right.sum())
    yield Progress("control", 1, 1)
    return noisy


def conclude(result: Result) -> Conclusion:
    """Fooled, fooled in part, withstood, or nothing to attack: against random noise of the same size."""
    found, n = result.figures, result.counts.get("success", 0)
    if not n:
        return Conclusion("nothing to attack", "No picture was classified correctly, so there was nothing to attack.")
    told = f"The attack succeeds on {of_all(found['success'], n)} that were right before"
    if "control/success" in found:
        told += f", random noise of the same size on {share(found['control/success'], n)}"
    if "global/success" in found:
        told += f", and with all pixels free on {share(found['global/success'], n)}"
    control = found.get("control/success", 0.0)
    if control and control >= found["success"]:
        return Conclusion("no better than noise", f"{told}. Noise does as much, so the gradient adds nothing here.")
    outcome = "fooled" if found["success"] >= 0.75 else "in part" if found["success"] >= 0.25 else "withstood"
    beside = regional_outcomes.told(result) if isinstance(result.recipe.method, Regional) else ""
    return Conclusion(outcome, f"{told}.{beside}")


def lines(script: Script, recipe: Recipe) -> None:
    """Attack the batch and print how it went."""
    script.use("core.runs", "finish")
    batch_lines(script, recipe, FEW)
    given = [f"seed={recipe.seed}"]
    if "target" in recipe.inputs:
        given.append(f"target={recipe.inputs['target']}")
    if "judge" in recipe.inputs:
        given.append(f"judge={script.load(recipe.inputs['judge'])}")
    if "mask" in recipe.inputs:
        script.use("core.attacks", "drawn")
        given.append(f"mask=drawn({script.code(recipe.inputs['mask'])}, *images.shape[2:])")
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, images, labels, {', '.join(given)}), bar=True)",
        'print("success", found.success.float().mean().item())',
        "print({name: values.mean().item() for name, values in found.norms.items()})",
    ]
    if judges := recipe.inputs.get("judges"):
        script.use("core.attacks", "transfer")
        script.lines += [
            f"others = [{', '.join(script.load(ref) for ref in judges)}]",
            "right = model(images).argmax(1) == labels",
            "table = finish(transfer(others, images, [found.images], labels, right=right))",
            'print("fooled", table.fooled, "of", table.n)',
        ]


INPUTS = (IMAGES, N, TARGET, MASK, model_input("judge"), models_input("judges", regional.MOST))

KIND = Kind(
    "attack", ATTACKS, run, Snippet(lines), taking(*INPUTS),
    scores=(
        Score(
            "success", "Fooled", against="control",
            help="Share of the pictures, right before, on which the attack reaches its goal. The change is against "
            "random noise of exactly the same size.",
        ),
        Score(
            "success", "Fooled, whole", moment="global",
            help="On the whole picture: the same attack with every pixel free, the same targets, steps and stop.",
        ),
        Score(
            "success", "Fooled, noise", moment="control",
            help="The control: a change of exactly the same size with random signs.",
        ),
        Score(
            "kept", "Still transfers",
            help="Of the pictures that the attack on the whole picture fools, the share that stays fooled when only "
            "the region may change.",
        ),
        Score("linf", "Largest change (L∞)", "L∞", unit=""),
        Score("l2", "Whole change (L2)", "L2", unit=""),
        Score("steps", "Steps", unit=""),
    ),
    conclude=conclude, outcomes=("fooled", "in part", "withstood", "no better than noise", "nothing to attack"),
    questions={"size": Question(regional_outcomes.size, regional_outcomes.SIZES)},
)  # fmt: skip
