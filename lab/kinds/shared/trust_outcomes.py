"""What the tests of a heatmap method say: about random weights, the order of its pixels, the object, a trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from core.explain.trust.trust_tests import MEASURES
from core.metrics import wilson
from core.metrics.intervals import bootstrap
from lab.kinds.kind import Conclusion
from lab.kinds.shared.words import of_all, percent

if TYPE_CHECKING:
    from lab.results import Result

OUTCOMES = ("changes", "in part", "stays", "flat")
ORDERS = ("both", "one", "neither", "unknown")
PLACES = ("object", "chance", "elsewhere", "unknown")
TRIGGERS = ("on it", "in part", "not on it", "everywhere", "unknown")
STAYS, CHANGES = 0.7, 0.3
"""Mean rank correlations with the map of random weights from which on, and below which, a map is called so."""
LARGE = 0.5
"""A trigger that changes a larger share of the pixels has no place that a map could point to."""
NEAR = 15 / 224
"""Of the picture's side: a peak that lies so near to the trigger points to it, as in the pointing game."""


def write(result: Result, row: str, values: Tensor) -> None:
    """A row of the table, (7, n), into the result: means and intervals; of the own method the figures as well."""
    cells = torch.stack([summary(name, each) for name, each in zip(MEASURES, values, strict=True)])
    result.images |= {f"each/{row}": values, f"table/{row}": cells}
    for name, each, (mean, low, high) in zip(MEASURES, values, cells.tolist(), strict=True):
        if mean != mean:
            continue
        key, n = f"table/{row}/{name}", int((~each.isnan()).sum())
        result.figures |= {key: mean, f"{key}/low": low, f"{key}/high": high}
        result.counts[key] = n
        if row == result.notes["own"]:
            result.figures[name], result.counts[name] = mean, n


def summary(measure: str, values: Tensor) -> Tensor:
    """Mean, and the ends of its 95 % interval, over the pictures (n,) where it is defined; NaN without any."""
    known = values[~values.isnan()].tolist()
    if not known:
        return torch.full((3,), torch.nan, dtype=torch.float64)
    mean = sum(known) / len(known)
    ends = wilson(mean, len(known)) if measure == "pointing" else bootstrap(known) or (mean, mean)
    return torch.tensor([mean, *ends], dtype=torch.float64)


def conclude(result: Result) -> Conclusion:
    """Whether the maps change once all weights are random; then curves and objects."""
    own = result.notes["own"]
    if "randomised" not in result.figures:
        return Conclusion("flat", f"Every map of {own}, or of its random twin, is constant: there is nothing to test.")
    value, n = result.figures["randomised"], result.counts["randomised"]
    low, high = (result.figures[f"table/{own}/randomised/{end}"] for end in ("low", "high"))
    told = (
        f"Once all weights are random, the maps of {own} have a rank correlation of {value:.2f} with the first ones "
        f"(95 % interval {low:.2f} to {high:.2f}, {n} pictures; edges of the picture, which look at no network, have "
        f"{result.figures.get('table/EdgeMap/randomised', 1):.2f})"
    )
    if value >= STAYS:
        outcome, said = "stays", "they hardly depend on what was learned, whatever else they score."
    elif value >= CHANGES:
        outcome, said = "in part", "part of them does not depend on what was learned."
    else:
        outcome = "changes"
        said = "they depend on what was learned, which a map must, and which does not yet make it right."
    rest = [each.text for each in (order(result), object_(result)) if each.outcome != "unknown"]
    return Conclusion(outcome, " ".join([f"{told}: {said}", *rest]))


def order(result: Result) -> Conclusion:
    """Whether the map's order is better than a random order, in deletion and in insertion, picture by picture."""
    own, random = (result.images.get(f"each/{row}") for row in (result.notes["own"], "RandomMap"))
    if own is None or random is None or own.shape[1] < 2:
        return Conclusion("unknown", "Without a random order over at least two pictures, nothing can be said.")
    told, better = [], 0
    for name, sign in (("deletion", -1), ("insertion", 1)):
        k = MEASURES.index(name)
        gains = (sign * (own[k] - random[k])).tolist()
        low, high = bootstrap(gains) or (0.0, 0.0)
        better += low > 0
        word = "better than" if low > 0 else "worse than" if high < 0 else "not told apart from"
        told.append(f"{name} {float(own[k].mean()):.2f}, {word} a random order ({float(random[k].mean()):.2f})")
    return Conclusion(
        ("neither", "one", "both")[better],
        f"Its order of the pixels: {' and '.join(told)}, over {own.shape[1]} pictures.",
    )  # fmt: skip


def object_(result: Result) -> Conclusion:
    """Whether more of the positive mass lies on the object than on a map of noise, and how often it points there."""
    own, random = (result.images.get(f"each/{row}") for row in (result.notes["own"], "RandomMap"))
    if own is None or random is None or "energy" not in result.figures:
        return Conclusion("unknown", "There are no masks of the objects, or no map has positive values.")
    k = MEASURES.index("energy")
    gains = (own[k] - random[k])[~own[k].isnan()].tolist()
    low, high = bootstrap(gains) or (0.0, 0.0)
    centre = result.figures.get("table/CentreMap/pointing")
    beside = "" if centre is None else f"; the centre of the picture does in {percent(centre)}"
    told = (
        f"{percent(result.figures['energy'])} of the positive mass lies on the object, of noise "
        f"{percent(result.figures['table/RandomMap/energy'])}; the highest pixel does in "
        f"{_hits(result)}{beside}."
    )
    return Conclusion("object" if low > 0 else "elsewhere" if high < 0 else "chance", told)


def _hits(result: Result) -> str:
    if "pointing" not in result.figures:
        return "no picture, as every map is constant"
    return of_all(result.figures["pointing"], result.counts["pointing"])


def trigger(result: Result) -> Conclusion:
    """Whether the backdoored model's map moves onto the trigger."""
    found, notes = result.figures, result.notes
    if "trigger/area" not in found:
        return Conclusion("unknown", notes.get("trigger", "No backdoored model was shown."))
    said = _answers(notes)
    area = found["trigger/area"]
    if area > LARGE:
        return Conclusion(
            "everywhere", f"{said} The trigger changes {percent(area)} of the pixels, so no map could single it out: "
            "maps find no trigger of this kind.",
        )  # fmt: skip
    if not area:
        return Conclusion("unknown", f"{said} The trigger changes no pixel of this picture.")
    if "trigger/energy" not in found:
        return Conclusion("unknown", f"{said} The map of the triggered picture has nothing positive.")
    energy, before = found["trigger/energy"], found.get("trigger/before")
    told = (
        f"{said} Of the triggered picture's map {percent(energy)} of the positive mass lies on the trigger, "
        f"{percent(area)} of the picture"
        + ("" if before is None else f"; of the plain picture's map {percent(before)} lies there")
        + f". Its highest pixel lies {_far(found['trigger/distance'])}"
    )
    if energy >= LARGE or found["trigger/distance"] <= NEAR * found["trigger/side"]:
        return Conclusion("on it", f"{told}: the map points to the trigger.")
    if energy > 2 * area:
        return Conclusion("in part", f"{told}: the map leans to the trigger, and points elsewhere.")
    return Conclusion("not on it", f"{told}: the map does not show what decides, and is no detector of backdoors.")


def _far(pixels: float) -> str:
    return "on it" if pixels == 0 else f"{pixels:.0f} pixel{'s' * (round(pixels) != 1)} from it"


def _answers(notes: dict[str, str]) -> str:
    plain, stamped, model = notes["says plain"], notes["says triggered"], notes["backdoored"]
    if plain == stamped:
        return f"With and without its trigger {model} says {plain}: on this picture the trigger changes no answer."
    return f"Without its trigger {model} says {plain}, with it {stamped}."

