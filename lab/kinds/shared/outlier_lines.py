"""The lines of Python that train a detector of outliers on contaminated pictures, and test it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import outliers
from lab.kinds.shared.script import Script

if TYPE_CHECKING:
    from lab.recipes import Recipe


def lines(script: Script, recipe: Recipe) -> None:
    """The contaminated training pictures, the detector, and how it ranks test pictures."""
    script.use("core.data.contamination", "channels", "contaminated", "judged")
    script.use("core.metrics", "bacc", "bacc_ceiling", "roc")
    script.use("core.runs", "finish")
    script.use("core.data", "load_data")
    given, size = recipe.inputs, outliers.size_of(recipe.data)
    sized = "" if size is None else f", size={size}"
    most, n = given.get("pictures", outliers.PICTURES_FIRST), given.get("n", outliers.TESTED_FIRST)
    data = script.data(recipe)
    limit = min(outliers.MOST, outliers.SEARCHED * most)
    script.lines += [
        f'train = load_data({data}, "train", limit={limit}{sized})',
        f'test = load_data({data}, "test", limit={outliers.SEARCHED * n}{sized})',
    ]
    normal, outlier = given.get("normal", outliers.NORMAL_FIRST), given.get("outlier", outliers.OUTLIER_FIRST)
    script.lines += [f"usual, usual_test = {_mask(script, normal, 'train')}, {_mask(script, normal, 'test')}"]
    script.lines += _outlier_lines(script, outlier, most, recipe.seed)
    share = given.get("contamination", outliers.SHARE_FIRST)
    script.lines += [
        f"parts = [train[usual][:{most}], observed, test[usual_test][:{n}], observed_test.sample({n}, 0), "
        f"others.sample({n}, 0)]",
        "normal, observed, plain, seen, unseen = channels(*parts)",
        f"pictures, truth = contaminated(normal, observed, {share}, seed={recipe.seed})",
        "tested, kinds = judged(plain, seen, unseen)",
        f"method = {script.code(recipe.method)}",
    ]
    backbone = ""
    if hasattr(type(recipe.method), "BACKBONE"):
        script.lines.append(f"backbone = {script.load(recipe.model)}")
        backbone = ", backbone=backbone"
    script.lines += [
        f"model = finish(method.run(pictures, seed={recipe.seed}{backbone}), bar=True)",
        "scores, rejected = model.score(tested.images), (model.score(pictures.images) > 1).double().mean().item()",
        "for kind, name in ((1, \"outliers of the kind trained on\"), (2, \"of other kinds\")):",
        "    some = (kinds == 0) | (kinds == kind)",
        "    strange = kinds[some] == kind",
        '    print(name, "BAcc", bacc(scores[some], strange), "AUROC", roc(scores[some], strange).auroc)',
        'print("ceiling of the rule", bacc_ceiling(rejected, truth.double().mean().item()))',
    ]


def _mask(script: Script, text: str, data: str) -> str:
    """Which pictures are meant, as an expression."""
    name, _, word = text.partition("=")
    if text == outliers.EVERY:
        return f"{data}.labels >= 0"
    if name == "class":
        return f"{data}.named({script.code(word)})"
    script.use("core.data.scenes", "CAUSES")
    key = script.code(name)
    return f"{data}.concepts[{key}] == CAUSES[{key}].index({script.code(word)})"


def _outlier_lines(script: Script, text: str, most: int, seed: int) -> list[str]:
    """The outliers as `observed`, `observed_test` and `others`."""
    name, _, word = text.partition("=")
    if name == outliers.TRIGGER:
        script.use("core.data", "ImageSet")
        trigger = script.code(outliers.TRIGGERS[word])
        other = script.code(next(each for key, each in outliers.TRIGGERS.items() if key != word))
        return [
            "def triggered(trigger, data):",
            "    return ImageSet((trigger(data.pixels) * 255).round().byte(), data.labels, data.class_names)",
            "shown = test[usual_test]",
            "shown = shown[len(shown) // 2 :]",
            f"observed, observed_test = triggered({trigger}, train[usual][{most}:]), triggered({trigger}, shown)",
            f"others = triggered({other}, shown)",
        ]
    if text.startswith(("upload:", "folder:")):
        script.use("core.data.folder", "folder")
        path = text.removeprefix("folder:") if text.startswith("folder:") else "pictures"
        said = ["# The uploaded pictures are not in this script: put your own folder in their place."]
        return [
            *(said if text.startswith("upload:") else []),
            f"observed, observed_test = folder({script.code(path)}, train.images.shape[-1]).split(0.5, {seed})",
            "others = test[~usual_test]",
        ]
    return [
        f"strange, strange_test = {_mask(script, text, 'train')}, {_mask(script, text, 'test')}",
        "observed, observed_test = train[strange & ~usual], test[strange_test & ~usual_test]",
        "others = test[~usual_test & ~strange_test]",
    ]
