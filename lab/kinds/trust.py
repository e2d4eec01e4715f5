"""Can a heatmap be trusted? All tests of one method on one picture, and a table of methods over many pictures."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.explain import EXPLAINERS, TRUST
from core.explain.trust.controls import CONTROLS, RandomMap
from core.explain.trust.trust_tests import MEASURES, Trial
from core.networks.predictions import predict
from core.runs import Progress, Run, mapped, part
from lab.inputs import IMAGES, TARGET, Input, N, taking
from lab.kinds.kind import Kind, Question, Score
from lab.kinds.shared.pictures import chosen
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import method_of, model_of, require_target
from lab.kinds.shared.trigger_map import trigger_map
from lab.kinds.shared.trust_outcomes import ORDERS, OUTCOMES, PLACES, TRIGGERS, conclude, object_, order, trigger, write
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

PICTURES, RANDOM = 24, 5
"""Pictures of the table, and random orders that a curve is drawn beside."""
OTHERS = ("quick", "all", "none")
STAGES = ("explain", "deletion", "insertion", "sensitivity", "randomise")


def run(recipe: Recipe) -> Run[Result]:
    """Test the recipe's method on its picture, for the input "target" or what the model says; then the table.

    images : original (1, C, H, W), map (1, H, W), mask (1, H, W) where there is one; cascade (L + 1, H, W) and
        similarity (L + 1,); shares (P + 1,), and of each curve, deletion and insertion, (P + 1,) and its random ones
        (RANDOM, P + 1); trigger/original (2, C, H, W), trigger/map (2, H, W), trigger/place (1, H, W);
        each/<row> (7, n), the measures of each picture in the order of MEASURES, and table/<row> (7, 3), their mean
        and the ends of its interval
    per_image : layers, in the order in which they become random
    figures : the means of the method over n pictures, by measure; table/<row>/<measure> with …/low and …/high; of the
        picture picture/<measure>, picture/deletion/random, picture/insertion/random, picture/area; trigger/energy,
        trigger/before, trigger/area, trigger/distance (pixels from the
        map's peak), trigger/side
    notes : own (the method's row), rows, left out (rows that refuse the model), explained, backdoored, …
    """
    shared = yield from model_of(recipe)
    model = copy.deepcopy(shared)  # it is hooked, and the shared one must stay as it is
    result = Result(recipe, notes={"own": type(method_of(recipe).explainer).__name__})
    yield from _picture(recipe, model, result)
    yield from trigger_map(recipe, model, result)
    yield from _table(recipe, model, result)
    return result


def _picture(recipe: Recipe, model: Classifier, result: Result) -> Run[None]:
    """The tests of the chosen picture, its curves beside random orders, and the cascade."""
    method, seed = method_of(recipe), recipe.seed
    batch = chosen(model, recipe.data, recipe.inputs.get("images", [0]))
    image, masks = batch.data.pixels[:1], batch.data.masks
    answer = predict(model, image).argmax(1)
    if (target := recipe.inputs.get("target")) is not None:
        require_target(target, model)
        answer = torch.full_like(answer, target)
    result.notes["explained"] = model.class_names[int(answer)]
    mask = None if masks is None else masks[:1]
    trial: Trial = yield from method.run(model, image, answer, masks=mask, seed=seed)
    many, chance = image.expand(RANDOM, -1, -1, -1), {}
    noise = RandomMap(seed)(model, many, 0)
    for name, curve in method.curves.items():
        chance[name] = yield from part(curve.run(model, many, noise, int(answer)), name, 0, 1)
    cascade = yield from method.cascade.run(model, image, answer, seed=seed)
    result.images |= {
        "original": image, "map": trial.maps, "cascade": cascade.maps[:, 0], "similarity": cascade.similarity[:, 0],
        "shares": trial.curves["deletion"].shares,
    }  # fmt: skip
    for name, curve in chance.items():
        result.images |= {name: trial.curves[name].values[0], f"{name}/random": curve.values}
    result.per_image["layers"] = [name.removeprefix("net.") for name in cascade.layers]
    found = {name: float(values[0]) for name, values in trial.scores.items()}
    found |= {f"{name}/random": float(curve.area.mean()) for name, curve in chance.items()}
    if mask is not None:
        result.images["mask"] = mask
        found["area"] = float(mask.double().mean())
    result.figures |= {f"picture/{name}": value for name, value in found.items() if value == value}


def _table(recipe: Recipe, model: Classifier, result: Result) -> Run[None]:
    """The method, the maps that look at no network, then the other methods, each over the first n test pictures."""
    batch = chosen(model, recipe.data, None, recipe.inputs.get("n", PICTURES))
    images, answers = batch.data.pixels, predict(model, batch.data.pixels).argmax(1)
    method, rows, left = method_of(recipe), list(_rows(recipe)), []
    for i, explainer in enumerate(rows):
        name = type(explainer).__name__
        tests = method.run(
            model, images, answers, masks=batch.data.masks, seed=recipe.seed, explainer=explainer
        )  # fmt: skip
        try:
            trial: Trial = yield from mapped(tests, partial(_within, row=i, rows=len(rows), shown=dict(result.images)))
        except ValueError as error:
            if i == 0:
                raise
            left.append(f"{name}: {error}")
            continue
        write(result, name, torch.stack([trial.scores[each] for each in MEASURES]))
        yield Progress("table", len(STAGES) * (i + 1), len(STAGES) * len(rows), images=dict(result.images))
    if left:
        result.notes["left out"] = " ".join(left)


def _within(now: Progress, row: int, rows: int, shown: dict[str, Tensor]) -> Progress:
    """Progress within one row as progress through the table, with all that is there so far."""
    return Progress("table", len(STAGES) * row + STAGES.index(now.stage) + 1, len(STAGES) * rows, images=shown)


def _rows(recipe: Recipe) -> Iterator[Any]:
    """The explainers of the table."""
    own, others = method_of(recipe).explainer, recipe.inputs.get("others", OTHERS[0])
    yield own
    yield from (RandomMap(recipe.seed), *(cls() for cls in CONTROLS[1:]))
    for cls in EXPLAINERS if others != "none" else ():
        if cls is not type(own) and (others == "all" or not hasattr(cls, "run")):
            yield cls()


def lines(script: Script, recipe: Recipe) -> None:
    """The tests of the method over the table's pictures, and the cascade of one picture."""
    script.use("core.runs", "finish")
    n, target = recipe.inputs.get("n", PICTURES), recipe.inputs.get("target")
    images = recipe.inputs.get("images", [0])
    index = images[0] if isinstance(images, list) else 0
    if not isinstance(images, list):
        script.lines.append("# The uploaded picture is not in this script: the first test picture stands in its place.")
    explained = "model(picture.pixels).argmax(1)" if target is None else str(target)
    script.lines += [
        f'data = load_data({script.data(recipe)}, "test", limit={max(n, index + 1)}, {SIZE})',
        f"tests, some, picture = {script.code(recipe.method)}, data[:{n}], data[{index} : {index + 1}]",
        "targets = model(some.pixels).argmax(1)",
        f"trial = finish(tests.run(model, some.pixels, targets, masks=some.masks, seed={recipe.seed}), bar=True)",
        "for name, values in trial.scores.items():",
        "    print(name, values.nanmean())",
        f"cascade = finish(tests.cascade.run(model, picture.pixels, {explained}, seed={recipe.seed}))",
        "print(cascade.layers, cascade.similarity[:, 0])",
    ]


def _others(value: Any) -> str:
    if value not in OTHERS:
        raise ValueError(f"others = {value!r} is not one of {', '.join(OTHERS)}.")
    return value


def _score(key: str, label: str, better: str, help: str, unit: str = "") -> Score:
    return Score(key, label, help=help, better=better, unit=unit)


KIND = Kind(
    "trust", TRUST, run, Snippet(lines), taking(IMAGES, N, TARGET, Input("others", _others)),
    scores=(
        _score("randomised", "Like its random twin", "down", "Rank correlation of the map with that of the same "
               "network whose weights are all random; the mean over the pictures. Near 1 the map does not depend on "
               "what was learned."),
        _score("deletion", "Deletion", "down", "Area under the class's probability while pixels are taken away in the "
               "map's order. Lower is better; compare the random order."),
        _score("insertion", "Insertion", "up", "Area under the class's probability while pixels come back into a "
               "blurred picture in the map's order. Higher is better."),
        _score("pointing", "Pointing game", "up", "Share of pictures whose highest pixel lies on the object.", "%"),
        _score("energy", "Heat on the object", "up", "Energy pointing game: the share of a map's positive mass that "
               "lies on the object."),
        _score("iou", "IoU", "up", "Overlap of the object with the pixels of at least half the map's maximum, as a "
               "share of both together."),
        _score("sensitivity", "Max-sensitivity", "down", "The largest relative change of the map under small random "
               "changes of the picture: a lower bound of the worst one."),
    ),
    conclude=conclude, outcomes=OUTCOMES,
    questions={"order": Question(order, ORDERS), "object": Question(object_, PLACES),
               "trigger": Question(trigger, TRIGGERS)},
)  # fmt: skip
