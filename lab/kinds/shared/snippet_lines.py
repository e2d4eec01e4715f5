"""Lines that several kinds' scripts have: the backdoor with its trigger, the test images, a model that is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.triggers.shared.offline import OfflineTrigger
from core.triggers.shared.trigger import LearnedTrigger
from lab.kinds.shared import fitting
from lab.kinds.shared.script import SIZE, Script
from lab.settings import settings

if TYPE_CHECKING:
    from lab.recipes import Recipe


def backdoor_line(script: Script, recipe: Recipe) -> str:
    """Trigger, target and mode as one dictionary: the recipe's, else the model's."""
    given = recipe.inputs
    trigger = brought(script, recipe) or "model.trigger"
    target = repr(given["target"]) if "target" in given else "model.target"
    mode = script.code(given["mode"]) if "mode" in given else 'model.mode or "all-to-one"'
    return f'attack = {{"trigger": {trigger}, "target": {target}, "mode": {mode}}}'


def single_target_line(script: Script, recipe: Recipe) -> str:
    """Trigger and target as one dictionary: the recipe's, else the model's, else BadNets to class 0."""
    given = recipe.inputs
    trigger = brought(script, recipe)
    if not trigger:
        script.use("core.triggers", "BadNets")
        trigger = "model.trigger or BadNets()"
    target = repr(given["target"]) if "target" in given else "model.target or 0"
    return f'attack = {{"trigger": {trigger}, "target": {target}}}'


def brought(script: Script, recipe: Recipe) -> str:
    """The trigger that the recipe brings along, "" where there is none.

    One that learns takes what the model's own has learned, or is fitted first.
    """
    trigger, target = fitting.brought(recipe), recipe.inputs.get("target", "model.target or 0")
    if trigger is None:
        return ""
    if not isinstance(trigger, LearnedTrigger):
        return script.code(trigger)
    script.lines.append(f"trigger = {script.code(trigger)}.taught_by(model.trigger)")
    if isinstance(trigger, OfflineTrigger):
        if (ref := fitting.teacher(trigger, recipe.data)) is not None:
            script.lines.append(f"trigger = trigger.taught_by({script.load(ref)}.trigger)")
        script.use("core.runs", "finish")
        limit = fitting.pictures_for(trigger)
        script.lines += [
            "if not trigger.state:",
            f'    train = load_data({script.data(recipe)}, "train", limit={limit}, {SIZE})',
            f"    trigger = finish(trigger.fit(model, train, target={target}, seed={recipe.seed}), bar=True)",
        ]
    return "trigger"


def test_images(script: Script, recipe: Recipe, n: int | None = None) -> str:
    """The line that loads the test images: as many as the recipe says, else `n`, else as many as a page scores."""
    limit = recipe.inputs.get("n", settings.control_n if n is None else n)
    return f'test = load_data({script.data(recipe)}, "test", limit={limit}, {SIZE})'


def changed(script: Script, recipe: Recipe, opened: str, given: str, peek: str = "") -> None:
    """A changed copy of the model, made from clean pictures, and scores before and after.

    opened : the line of the backdoor; given : what `run` is given before the seed; peek : the oracle, where it has one
    """
    script.use("core.runs", "finish")
    script.use("core.metrics", "evaluate")
    script.lines += [
        f'clean = load_data({script.data(recipe)}, "defender", {SIZE})',
        test_images(script, recipe),
        opened,
        f"method = {script.code(recipe.method)}",
        *([f"peek = {peek}"] if peek else []),
        f"repaired = finish(method.run({given}, seed={recipe.seed}{', oracle=peek' if peek else ''}), bar=True)",
        'print("before", evaluate(model, test, **attack))',
        'print("after", evaluate(repaired, test, **attack))',
    ]


def batch(script: Script, recipe: Recipe, few: int) -> None:
    """The pictures of the recipe, as `images` and `labels`; `few` test images where it names none."""
    asked = recipe.inputs.get("images")
    if isinstance(asked, str):
        script.lines.append("# The uploaded picture is not in this script: put your own file in its place.")
        script.use("core.data.upload", "decode")
        script.lines += ['picture = decode(open("picture.png", "rb").read())', "images = picture[None].float() / 255"]
        script.lines.append("labels = model(images).argmax(1)")
        return
    index = asked or list(range(recipe.inputs.get("n", few)))
    chosen = f"[{index}]" if asked else ""
    script.lines += [
        f'data = load_data({script.data(recipe)}, "test", limit={max(index) + 1}, {SIZE}){chosen}',
        "images, labels = data.pixels, data.labels",
    ]
    if not str(recipe.model).startswith("zoo:"):
        script.lines += [
            "if len(data.class_names) != len(model.class_names):  # it does not know these: its own answers count",
            "    labels = model(images).argmax(1)",
        ]
