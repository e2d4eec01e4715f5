"""How much of what a small VAE learns from plain pictures one that learns from mixed pictures shares, and by layer."""

from __future__ import annotations

from statistics import fmean, stdev
from typing import TYPE_CHECKING

import torch

from core.information import INFORMATION, Shared
from core.information.shared_information import BASE, MIXERS, SIZE
from core.runs import Progress, Run
from lab import loading
from lab.inputs import N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import method_of, model_of
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

TESTED = 300
"""Test pictures where the recipe says no n."""
MIXED = [name for name in MIXERS if name != BASE]


def run(recipe: Recipe) -> Run[Result]:
    """Train the VAEs on the recipe's data; its model is not asked.

    figures : for "no mixing", "MixUp", "CutMix" and "FMix" <name>/shared and <name>/upper, the estimates' means over
        the repeats, and <name>/shared/spread, their standard deviation, where there are several
    images : "layers/<name>" (R, 2, L): lower and upper bounds by repeat and layer
    notes : "layers", their names
    """
    yield from model_of(recipe)
    yield Progress("load", 1, 2)
    method = method_of(recipe)
    train = loading.images(recipe.data, "train", limit=method.pictures, size=SIZE)
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", TESTED), size=SIZE)
    yield Progress("load", 2, 2)
    found: Shared = yield from method.run(train, test, seed=recipe.seed)
    result = Result(recipe)
    for name, each in found.shared.items():
        lower = [bounds.lower for bounds in each]
        result.figures |= {f"{name}/shared": fmean(lower), f"{name}/upper": fmean(bounds.upper for bounds in each)}
        if len(lower) > 1:
            result.figures[f"{name}/shared/spread"] = stdev(lower)
        layers = [[[one.lower for one in of.values()], [one.upper for one in of.values()]] for of in found.layers[name]]
        result.images[f"layers/{name}"] = torch.tensor(layers)
    result.counts |= dict.fromkeys(result.figures, len(test))
    result.notes["layers"] = ", ".join(found.layers[BASE][0])
    return result


def conclude(result: Result) -> Conclusion:
    """Which mixer's VAE shares least with the plain one, and whether beyond the spread over the repeats."""
    found, n, repeats = result.figures, result.counts[f"{BASE}/shared"], method_of(result.recipe).repeats
    order = sorted(MIXED, key=lambda name: found[f"{name}/shared"])
    told = ", ".join(f"{name} {_nats(found, name)}" for name in order)
    kinds = f"{n} test pictures, {repeats} VAE{'s' * (repeats > 1)} of each kind"
    text = (
        f"Shared with what is learned without mixing: {told} nats per picture; that itself has {_nats(found, BASE)} "
        f"({kinds})."
    )
    least, second = (found[f"{name}/shared"] for name in order[:2])
    spread = max((found.get(f"{name}/shared/spread", 0.0) for name in order[:2]), default=0.0)
    if repeats < 2 or second - least <= spread:
        return Conclusion("within the spread", f"{text} Which is lowest is not settled by so few.")
    return Conclusion("MixUp least" if order[0] == "MixUp" else "another least", text)


def _nats(found: dict[str, float], name: str) -> str:
    spread = found.get(f"{name}/shared/spread")
    return f"{found[f'{name}/shared']:.1f}" + ("" if spread is None else f" ± {spread:.1f}")


def lines(script: Script, recipe: Recipe) -> None:
    """The VAEs, and what they share."""
    script.use("core.runs", "finish")
    data, n = script.data(recipe), recipe.inputs.get("n", TESTED)
    script.lines += [
        f'train = load_data({data}, "train", limit={method_of(recipe).pictures}, size={SIZE})',
        f'test = load_data({data}, "test", limit={n}, size={SIZE})',
        f"found = finish({script.code(recipe.method)}.run(train, test, seed={recipe.seed}), bar=True)",
        "for name, bounds in found.shared.items():",
        "    print(name, bounds)",
    ]


KIND = Kind(
    "information", INFORMATION, run, Snippet(lines, loads_model=False), taking(N),
    scores=tuple(
        Score(f"{name}/shared", f"Shared, {name}", unit="nats", live=True, n="",
              help="Estimated information that the code shares with that of a VAE that learned without mixing.")
        for name in MIXERS
    ),
    conclude=conclude, outcomes=("MixUp least", "another least", "within the spread"),
)  # fmt: skip
