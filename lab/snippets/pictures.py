"""Snippets of what is done to a batch of pictures: attack it, or explain what the model sees in it."""

from __future__ import annotations

from lab.experiments.pictures import FEW
from lab.recipes import Recipe
from lab.snippets.script import SIZE, Script


def attack(script: Script, recipe: Recipe) -> None:
    """Attack the batch and print how it went."""
    script.use("core.runs", "finish")
    batch(script, recipe)
    given = [f"seed={recipe.seed}"]
    if "target" in recipe.inputs:
        given.append(f"target={recipe.inputs['target']}")
    if "judge" in recipe.inputs:
        script.use("models", "load")
        given.append(f"judge=load({script.code(recipe.inputs['judge'])})")
    if "mask" in recipe.inputs:
        script.use("lab.inputs", "mask_of")
        given.append(f"mask=mask_of({script.code(recipe.inputs['mask'])}, *images.shape[2:])")
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, images, labels, {', '.join(given)}), bar=True)",
        'print("success", found.success.float().mean().item())',
        "print({name: values.mean().item() for name, values in found.norms.items()})",
    ]


def explainer(script: Script, recipe: Recipe) -> None:
    """The raw maps of the batch."""
    batch(script, recipe)
    target = recipe.inputs.get("target")
    script.lines += [
        "targets = model(images).argmax(1)" + ("" if target is None else f".fill_({target})"),
        f"maps = {script.code(recipe.method)}(model, images, targets)",
        "print(maps.shape)",
    ]


def batch(script: Script, recipe: Recipe) -> None:
    """The pictures of the recipe, as `images` and `labels`."""
    asked = recipe.inputs.get("images")
    if isinstance(asked, str):
        script.lines.append("# The uploaded picture is not in this script: put your own file in its place.")
        script.use("core.data.upload", "decode")
        script.lines += ['picture = decode(open("picture.png", "rb").read())', "images = picture[None].float() / 255"]
        script.lines.append("labels = model(images).argmax(1)")
        return
    index = asked or list(range(recipe.inputs.get("n", FEW)))
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
