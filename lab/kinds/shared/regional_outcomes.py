"""What came out of a regional attack: its size against one on the whole picture, what still transfers, and where to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.attacks import Regional
from lab.kinds.kind import Conclusion
from lab.kinds.shared.words import percent, share

if TYPE_CHECKING:
    from lab.results import Result

SIZES = ("smaller", "same", "larger", "not comparable", "no region")


def told(result: Result) -> str:
    """What belongs to how it came out, each sentence with a space before it."""
    return "".join(f" {sentence}" for sentence in (_kept(result), size(result).text) if sentence)


def size(result: Result) -> Conclusion:
    """Whether the whole change (L2) is smaller or larger within the region than without one, where both succeed.

    The 95 % interval of the median ratio decides: only where it leaves 1 out is one the smaller.
    """
    if not isinstance(result.recipe.method, Regional):
        name = type(result.recipe.method).__name__
        return Conclusion("no region", f"{name} may change every pixel, so there is no region to compare with.")
    if "median/l2" not in result.figures:
        return Conclusion("not comparable", "No picture is fooled by both, so the two changes cannot be compared.")
    ratio, n = result.figures["median/l2"], result.counts["median/l2"]
    times = f"{ratio:.2f} times that of the whole picture in L2 (median where both succeed, n = {n}"
    if "low/l2" not in result.figures:
        return Conclusion("same", f"The change within the region is {times}); one picture decides nothing.")
    low, high = result.figures["low/l2"], result.figures["high/l2"]
    times += f", 95 % interval {low:.2f} to {high:.2f})"
    if low <= 1 <= high:
        return Conclusion("same", f"The change within the region is {times}: the interval holds 1, so neither is shown "
                          "to be smaller.")  # fmt: skip
    outcome = "smaller" if high < 1 else "larger"
    return Conclusion(outcome, f"The region needs the {outcome} change: {times}.")


def _kept(result: Result) -> str:
    """What restricting the attack costs: of what the whole picture fools, how much is still fooled."""
    ends = result.interval("kept") if "kept" in result.figures else None
    if ends is None:
        return ""
    n = result.counts["kept"]
    return (
        f"Of the {n} pictures that the attack on the whole picture fools, {share(result.figures['kept'], n)} stay "
        f"fooled with the region alone (95 % interval {percent(ends[0])} to {percent(ends[1])})."
    )


def elsewhere(result: Result) -> str:
    """The range over the models that neither attack asked, in a sentence; "" where there are none."""
    if "transfer" not in result.images:
        return ""
    names = result.notes["models"].split(", ")
    asked = names[0], result.notes.get("judged by")
    cells = [
        (column, int(n)) for name, column, n
        in zip(names, result.images["transfer"].T.tolist(), result.images["transfer/n"].tolist(), strict=True)
        if name not in asked and n
    ]  # fmt: skip
    if not cells:
        return ""
    said = [_range([(column[row], n) for column, n in cells]) for row in range(3)]
    count = f"On {len(cells)} other model{'s' * (len(cells) > 1)}, of the pictures that each gets right,"
    return f"{count} the regional examples fool {said[0]}, those of the whole picture {said[1]}, the noise {said[2]}."


def _range(cells: list[tuple[float, int]]) -> str:
    low, high = min(cells), max(cells)
    ends = [share(*low), share(*high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def resized(result: Result) -> str:
    """What resizing for the judge costs, in a sentence; "" where nothing was resized, or could not be compared."""
    if "resized" not in result.figures:
        return ""
    n, found = result.counts["resized"], result.figures
    return (
        f"Resized for the judge, the examples fool it on {share(found['resized'], n)}, in the source's size on "
        f"{share(found['unresized'], n)} (pictures that it gets right both ways)."
    )
