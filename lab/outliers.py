"""Which pictures are normal and which are outliers, by name, and the contaminated training set that they make.

Normal is "all" or, as in `lab.concepts`, "class=6" or "texture=plain". Outliers are "class=4", "texture=stripes";
"trigger=BadNets", normal pictures with that trigger; "folder:PATH" or "upload:<sha256>", a visitor's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.anomaly import OUTLIERS
from core.data import ImageSet
from core.data.contamination import channels, contaminated, judged
from core.data.digits import DIGITS
from core.data.modes import stamped
from core.data.scenes import generated
from core.triggers import BadNets, Blended
from lab import concepts, loading
from lab.inputs import Input, whole

if TYPE_CHECKING:
    from lab.recipes import Recipe

EVERY, TRIGGER = "all", "trigger"
NORMAL_FIRST, OUTLIER_FIRST, SHARE_FIRST, PICTURES_FIRST, TESTED_FIRST = "class=6", "class=4", 0.05, 500, 200
"""What a recipe that does not say them has; the last is the test pictures of each kind, at most."""
FIRST = {"scenes": ("background=plain", "background=stripes")}
"""Normal and outlier with which the page begins on other data than digits. Among all Scenes, a blended trigger lowers
the contrast: such pictures are reconstructed better than normal ones, and rank below them."""
TRIGGERS: dict[str, Any] = {"BadNets": BadNets(), "Blended": Blended()}
"""Triggers that make outliers; the other one makes those of a kind that the training pictures do not hold."""
STORED = (DIGITS, "scenes")
"""Data with a finished run that ships with the lab (`python -m bench.outliers.stored`)."""
DETECTORS_FIRST = "Autoencoder,AdversarialAutoencoder,IsolationForest,OneClassSVM"
HIGHEST = 0.2
SCENES = 16
"""Width of Scenes: the detectors are fully connected, so pixels are dear."""
OTHERS = 32
"""Width of the pictures of sets that have no small ones of their own."""
SMALL = (DIGITS, "mnist", "fashion-mnist")
"""Sets whose pictures are small as they are."""
SEARCHED, MOST = 20, 12_000
"""Rows that are loaded for each normal picture that is wanted, and at most."""


def _normal(value: Any) -> str:
    if isinstance(value, str) and (value == EVERY or _is_label(value)):
        return value
    raise ValueError(f"normal = {value!r} must be all, or such as class=6 or texture=plain.")


def _outlier(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text.partition("=")[0] == TRIGGER:
        if text.partition("=")[2] not in TRIGGERS:
            raise ValueError(f"outlier = {value!r} names no trigger of {', '.join(TRIGGERS)}.")
        return text
    if _is_label(text) or (text.startswith(("upload:", concepts.FOLDER)) and "#" not in text):
        return concepts.CONCEPT.check(text)
    raise ValueError(
        f"outlier = {value!r} must be such as class=4, texture=stripes, trigger=BadNets, folder:PATH or "
        "upload:<sha256>."
    )


def _is_label(text: str) -> bool:
    return all(text.partition("=")[::2]) and not text.startswith(("upload:", concepts.FOLDER))


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 0.5:
        raise ValueError(
            f"contamination = {value!r} must be a number from 0 to below 0.5: from one half on, the outliers would be "
            "the rule."
        )
    return float(value)


def _share_of(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"contamination = {text!r} in the link must be a number.") from None


def _detectors(value: Any) -> str:
    known = {cls.__name__ for cls in OUTLIERS}
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else []
    if not names or (set(names) - known and names != ["none"]):
        raise ValueError(f"detectors = {value!r} must be names of {', '.join(sorted(known))}, with commas, or none.")
    return ",".join(dict.fromkeys(names))


NORMAL = Input("normal", _normal)
OUTLIER = Input("outlier", _outlier)
CONTAMINATION = Input("contamination", _share, _share_of)
"""Share of outliers among the training pictures."""
PICTURES = whole("pictures", 20, 10_000)
"""Normal training pictures, at most."""
DETECTORS = Input("detectors", _detectors)
"""Detectors that run beside the recipe's, with their defaults."""


def stored(data: str) -> str:
    """The name of the finished run on these data (`lab.whole_runs`)."""
    return f"outliers-{data}"


@dataclass(frozen=True)
class Setting:
    """Training pictures, which of them are outliers (N,), test pictures, and of which kind each is (M,)."""

    train: ImageSet
    truth: Tensor
    test: ImageSet
    kinds: Tensor


def size_of(data: Any) -> int | None:
    """The width in which pictures of these data are used; None for their own."""
    if generated(data) is not None:
        return SCENES
    return None if data in SMALL else OTHERS


def setting(recipe: Recipe, n: int) -> Setting:
    """What a recipe of outliers is about, with n test pictures of each kind at most; ValueError in one sentence."""
    given, size = recipe.inputs, size_of(recipe.data)
    normal, outlier = given.get("normal", NORMAL_FIRST), given.get("outlier", OUTLIER_FIRST)
    share, most = given.get("contamination", SHARE_FIRST), given.get("pictures", PICTURES_FIRST)
    train = loading.images(recipe.data, "train", limit=min(MOST, SEARCHED * most), size=size)
    test = loading.images(recipe.data, "test", limit=SEARCHED * n, size=size)
    usual, usual_test = _usual(train, normal), _usual(test, normal)
    trained, spare = train[usual][:most], train[usual][most:]
    observed, observed_test, others = _outliers(outlier, train, test, usual, usual_test, spare, recipe.seed)
    parts = [trained, observed, test[usual_test][:n], observed_test.sample(n, 0), others.sample(n, 0)]
    for part, what in zip(parts[::2], ("normal training pictures", "normal test pictures"), strict=False):
        if not len(part):
            raise ValueError(f"There are no {what} ({concepts.words(normal)}); choose another kind as normal.")
    if not len(observed_test):
        raise ValueError(f"There are no outliers to test on ({concepts.words(outlier)}); choose another kind.")
    trained, observed, plain, seen, unseen = channels(*parts)
    data, truth = contaminated(trained, observed, share, seed=recipe.seed)
    tested, kinds = judged(plain, seen, unseen)
    return Setting(data, truth, tested, kinds)


def _usual(data: ImageSet, text: str) -> Tensor:
    """Which pictures are normal, bool (N,)."""
    if text == EVERY:
        return torch.ones(len(data), dtype=torch.bool, device=data.images.device)
    found: Any = concepts.find(text, data, data.images.shape[-1])
    return found


def _outliers(
    text: str, train: ImageSet, test: ImageSet, usual: Tensor, usual_test: Tensor, spare: ImageSet, seed: int
) -> tuple[ImageSet, ImageSet, ImageSet]:
    """Outliers to train on, outliers of the same kind to test on, and test pictures of other kinds."""
    name, _, word = text.partition("=")
    if name == TRIGGER:
        other = next(trigger for each, trigger in TRIGGERS.items() if each != word)
        shown = test[usual_test]
        half = len(shown) // 2  # the first half stays without a trigger: it is tested on as normal
        return _with(TRIGGERS[word], spare), _with(TRIGGERS[word], shown[half:]), _with(other, shown[half:])
    found = concepts.find(text, train, train.images.shape[-1])
    if isinstance(found, ImageSet):
        mine = found.to(train.images.device)
        if len(mine) < 2:
            raise ValueError("Give at least 2 pictures as outliers: half of them are trained on, half are tested on.")
        first, second = mine.split(0.5, seed)
        return first, second, test[~usual_test]
    same: Any = concepts.find(text, test, test.images.shape[-1])
    return train[found & ~usual], test[same & ~usual_test], test[~usual_test & ~same]


def _with(trigger: Any, data: ImageSet) -> ImageSet:
    """The same pictures with a trigger, as uint8."""
    images = (stamped(trigger, data) * 255).round().to(torch.uint8)
    return ImageSet(images, data.labels, data.class_names, origin=data.origin)
