"""Attacks side by side on one picture, and robust accuracy against the budget, beside plain and robust networks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from core.attacks import CURVES, Adversarial, Robustness, norms_of
from core.data import ImageSet
from core.knobs import Method
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped
from lab import loading
from lab.attack_variants import chosen
from lab.inputs import IMAGES, TARGET, Input, N, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.pictures import Batch, pictures
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import method_of, model_of, require_classes, require_target, size_of
from lab.kinds.shared.snippet_lines import batch as batch_lines
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from lab.robust_zoo import beside, names
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

PICTURES = 100
"""Test pictures of the curves where the recipe says no n."""
NOISE = "random noise"
"""The control beside the attacks: random signs of the size ε."""
COLUMNS = ("success", "answer", "l0", "l2", "linf", "steps", "queries")
"""Of the table of attacks."""
SURVIVES, OTHERS = "survives", "others/survives"


def run(recipe: Recipe) -> Run[Result]:
    """The attacks on the first picture, then the curve of the model and of those that stand beside it.

    figures : "acc", "survives" (right at the largest budget), "control/survives" (under noise of that size), "fooled"
        (share of the attacks that reach their goal on the picture), "others/survives" (the best of the others)
    images : "original", "adversarial/<attack>"; "attacks", a row of `COLUMNS` per attack; "path/<attack>", the loss at
        each step and in the end; "budgets" (B,), "right/<model>" and "noise" (B,)
    notes : "attacks" and "models", the names in their order, separated by commas
    """
    model = yield from model_of(recipe)
    batch = pictures(recipe, model)
    data = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", PICTURES), size=size_of(model))
    result = Result(recipe)
    yield from _side_by_side(result, model, batch)
    require_classes(recipe, model, data)
    yield from _curves(result, model, data)
    return result


def _which(value: object) -> str:
    if value not in ("some", "all"):
        raise ValueError(f"attacks = {value!r} must be some or all.")
    return str(value)


def _attacks(recipe: Recipe, size: tuple[int, int]) -> dict[str, Method]:
    return chosen(method_of(recipe).eps, size, recipe.inputs.get("attacks", "some"))


def _side_by_side(result: Result, model: Classifier, batch: Batch) -> Run[None]:
    pixels, labels = batch.data.pixels[:1], batch.labels[:1]
    recipe, before = result.recipe, int(predict(model, pixels).argmax(1))
    target = recipe.inputs.get("target")
    if target is not None:
        require_target(target, model)
        if target == int(labels):
            raise ValueError(f"target = {target} is the picture's own class, so there is no way to it; choose another.")
    result.per_image |= {"index": batch.index[:1], "label": labels.tolist(), "before": [before]}
    result.images["original"] = pixels
    shown: dict[str, Tensor] = {"original": pixels[0].cpu()}
    rows = []
    attacks = _attacks(recipe, (pixels.shape[2], pixels.shape[3]))
    for place, (name, method) in enumerate(attacks.items()):
        path: list[float] = []
        attack = method.run(model, pixels, labels, target=target, seed=recipe.seed)  # type: ignore[attr-defined]
        found = yield from mapped(attack, partial(_moving, name, place, len(attacks), path, shown))
        shown[f"adversarial/{name}"] = result.images[f"adversarial/{name}"] = found.images[0].cpu()
        result.images[f"path/{name}"] = torch.tensor([*path, _loss(model, found.images, labels, target)])
        rows.append(_row(model, found))
        yield Progress("attacks", place + 1, len(attacks), {}, dict(shown))
    rows.append(_row(model, _noise(result, model, pixels, labels, target)))
    result.images["attacks"], result.notes["attacks"] = torch.tensor(rows), ", ".join([*attacks, NOISE])
    won = [row[0] for row in rows[:-1]]
    result.figures["fooled"], result.counts["fooled"] = sum(won) / len(won), len(won)


def _moving(
    name: str, place: int, total: int, path: list[float], shown: dict[str, Tensor], progress: Progress
) -> Progress:
    """A step of one attack, told as part of all of them, with the pictures so far; its loss is noted in `path`."""
    if "loss" in progress.metrics:
        path.append(progress.metrics["loss"])
    now = {f"adversarial/{name}": progress.images["adversarial"]} if "adversarial" in progress.images else {}
    return Progress("attacks", max(1, place), total, {}, shown | now)


def _loss(model: Classifier, images: Tensor, labels: Tensor, target: int | None) -> float:
    """What the attack raises: CE of the class to leave, or minus that of the target."""
    sign, goal = (1, labels) if target is None else (-1, torch.full_like(labels, target))
    return sign * F.cross_entropy(predict(model, images), goal).item()


def _row(model: Classifier, found: Adversarial) -> list[float]:
    norms = [float(found.norms[name][0]) for name in ("l0", "l2", "linf")]
    answer = int(predict(model, found.images).argmax(1))
    return [float(found.success[0]), float(answer), *norms, float(found.steps[0]), float(found.queries[0])]


def _noise(result: Result, model: Classifier, pixels: Tensor, labels: Tensor, target: int | None) -> Adversarial:
    """Random signs of the size ε, as an attack of no step."""
    generator = torch.Generator().manual_seed(result.recipe.seed)
    signs = torch.randint(0, 2, pixels.shape, generator=generator).to(pixels) * 2 - 1
    moved = (pixels + method_of(result.recipe).eps * signs).clamp(0, 1)
    answer = predict(model, moved).argmax(1)
    won = answer != labels if target is None else answer == target
    none = torch.zeros_like(labels)
    result.images[f"adversarial/{NOISE}"] = moved[0].cpu()
    return Adversarial(moved, won, won, norms_of(pixels, moved), none, none + 1)


def _curves(result: Result, model: Classifier, data: ImageSet) -> Run[None]:
    """The curve of the model, then of those beside it; the pictures that are shown stay."""
    recipe, shown = result.recipe, {name: each for name, each in result.images.items() if name.startswith("adv")}
    shown["original"] = result.images["original"][0]
    known = [str(recipe.model), *names(model)]
    nets = {known[0]: model} | beside(model)
    found: dict[str, Robustness] = {}
    for ref, net in nets.items():
        attack = method_of(recipe).run(net, data, seed=recipe.seed)
        found[ref] = yield from mapped(attack, partial(_told, known.index(ref), len(nets), shown))
    curve, n = found[known[0]], len(data)
    result.images["budgets"], result.images["noise"] = curve.budgets, curve.noise.double().mean(1)
    result.images |= {f"right/{ref}": each.robust for ref, each in found.items()}
    result.notes["models"] = ", ".join(found)
    result.figures |= {"acc": curve.robust[0].item(), SURVIVES: curve.robust[-1].item(),
                       f"control/{SURVIVES}": result.images["noise"][-1].item()}  # fmt: skip
    if others := [each.robust[-1].item() for ref, each in found.items() if ref != known[0]]:
        result.figures[OTHERS] = max(others)
    result.counts |= {name: n for name in result.figures if name != "fooled"}


def _told(place: int, total: int, shown: dict[str, Tensor], progress: Progress) -> Progress:
    """A budget of one network, told as part of all of them; "net" is its place among the names."""
    metrics = dict(progress.metrics)
    if "robust" in metrics:
        metrics |= {OTHERS if place else SURVIVES: metrics.pop("robust"), "net": place}
    step, of = place * progress.total + progress.step, total * progress.total
    return Progress("curve", min(step, of), of, metrics, shown)


BROKEN, WITHSTANDS = 0.1, 0.5
"""Shares of its clean accuracy below which a network is said to be broken, and from which on to withstand."""


def conclude(result: Result) -> Conclusion:
    """How much of the clean accuracy is left at the largest budget, beside noise and the best of the others."""
    found, n, method = result.figures, result.counts[SURVIVES], method_of(result.recipe)
    budget = f"ε = {255 * method.eps:.3g}/255" if method.norm == "linf" else f"{result.images['budgets'][-1]:.3g} in L2"
    if not found["acc"]:
        return Conclusion("nothing right", f"None of {n} test pictures is right without an attack, so nothing is lost.")
    told = (
        f"At {budget} {of_all(found[SURVIVES], n, 'test pictures')} are right under PGD, {share(found['acc'], n)} "
        f"without an attack and {share(found['control/survives'], n)} under noise of that size"
    )
    if OTHERS in found:
        best = max(result.notes["models"].split(", ")[1:], key=lambda ref: float(result.images[f"right/{ref}"][-1]))
        told += f"; {best} keeps {share(found[OTHERS], n)}"
    left = found[SURVIVES] / found["acc"]
    outcome = "broken" if left < BROKEN else "in part" if left < WITHSTANDS else "withstands"
    return Conclusion(outcome, f"{told}. {smallest(result).text}")


def smallest(result: Result) -> Conclusion:
    """Which attack reaches its goal on the picture with the smallest change in L2."""
    rows = result.images["attacks"].tolist()
    called = result.notes["attacks"].split(", ")
    if "target" not in result.recipe.inputs and result.per_image.get("before") != result.per_image.get("label"):
        return Conclusion("none", "The picture is misclassified without an attack, so nothing has to be changed.")
    won = [(row[COLUMNS.index("l2")], name) for row, name in zip(rows[:-1], called, strict=False) if row[0]]
    if not won:
        return Conclusion("none", f"On the picture none of {len(rows) - 1} attacks reaches its goal.")
    l2, name = min(won)
    text = (
        f"On the picture {len(won)} of {len(rows) - 1} attacks reach their goal, {name} with the smallest L2, {l2:.2f}."
    )
    known = next((each for each in SMALLEST[:-2] if name.startswith(each)), "another")
    return Conclusion(known, text)


SMALLEST = ("CarliniWagner", "DeepFool", "PGD", "another", "none")


def lines(script: Script, recipe: Recipe) -> None:
    """One attack on the picture, and the curve."""
    script.use("core.runs", "finish")
    batch_lines(script, recipe, 1)
    target = f", target={recipe.inputs['target']}" if "target" in recipe.inputs else ""
    attacks = _attacks(recipe, (32, 32))
    script.lines += [
        "attacks = [  # the L2 budgets are for 32 x 32 pixels",
        *(f"    {script.code(each)}," for each in attacks.values()),
        "]",
        "for attack in attacks:",
        f"    found = finish(attack.run(model, images, labels{target}, seed={recipe.seed}))",
        "    print(attack, found.success, found.norms)",
        f'test = load_data({script.data(recipe)}, "test", limit={recipe.inputs.get("n", PICTURES)}, {SIZE})',
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, test, seed={recipe.seed}), bar=True)",
        "print(found.budgets, found.robust)",
    ]


KIND = Kind(
    "budget", CURVES, run, Snippet(lines), taking(IMAGES, N, TARGET, Input("attacks", _which)), needs_classes=True,
    scores=(
        Score("acc", "Accuracy", better="up", help="Share of the test pictures that are right without an attack."),
        Score(SURVIVES, "Robust accuracy", "Robust", better="up", live=True,
              help="Share of the test pictures that are right under PGD at this budget and at all smaller ones."),
        Score(SURVIVES, "Under noise", moment="control", better="up",
              help="The control: share that is right under random noise as large as the largest budget."),
        Score(OTHERS, "Best beside it", better="up", live=True,
              help="Robust accuracy of the best of the shipped networks of the same data, on the same pictures."),
    ),
    conclude=conclude, outcomes=("broken", "in part", "withstands", "nothing right"),
    questions={"smallest": Question(smallest, SMALLEST)},
)  # fmt: skip
