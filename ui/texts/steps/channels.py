"""Rankings of channels step by step: one channel's weight change, mask or bound, and what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.networks.report import by_layer
from ui.texts.steps.numbers import known, method_of, report, tex, validation
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result


def nwc(result: Result, place: Place | None) -> list[Step]:
    """One channel's NWC: its three largest weight changes, and all others."""
    source = report(result) or result.images
    scores, largest = by_layer(source, "nwc"), by_layer(source, "nwc_largest")
    if not scores or not largest:
        return []
    layer, channel = known(scores, place)
    total = float(scores[layer][channel])
    terms = [float(term) for term in largest[layer][channel]]
    rest = max(0.0, total - sum(terms))
    filled = " + ".join(tex(term) for term in terms)
    return [Step(
        f"Channel {channel} of {layer}: the changes of its weights while clean pictures were unlearned, the "
        f"{len(terms)} largest first and all others together.",
        rf"\mathrm{{NWC}} = {filled} + {tex(rest)} = {tex(total)}",
    )]  # fmt: skip


def _masks(result: Result, kind: str, place: Place | None, learned: str) -> list[Step]:
    """One channel's mask, and how many lie at or below the threshold."""
    found = report(result)
    masks = by_layer(found, kind) or {layer: 1 - value for layer, value in by_layer(result.images, kind).items()}
    if not masks:
        return []
    layer, channel = known({name: 1 - mask for name, mask in masks.items()}, place)
    steps = [Step(f"Channel {channel} of {layer}: its mask after {learned}.",
                  rf"m = {tex(float(masks[layer][channel]))}")]  # fmt: skip
    if "threshold" in found:
        limit = float(found["threshold"])
        pruned, total = sum(int((m <= limit).sum()) for m in masks.values()), sum(len(m) for m in masks.values())
        steps.append(Step("Channels whose mask is at most the threshold, of all: these are pruned.",
                          rf"\#\{{m \le {tex(limit)}\}} = {pruned} \text{{ of }} {total}"))  # fmt: skip
    return steps + validation(result)


def anp(result: Result, place: Place | None) -> list[Step]:
    """The size of the noise, one mask, and the pruning."""
    method = method_of(result)
    if not hasattr(method, "eps"):
        return _masks(result, "anp", place, "learning under noise")
    weights = Step("The loss without noise, weighed with α, and with the worst noise of size ε.",
                   rf"{tex(method.alpha)}\, \ell(m, 0, 0) + {tex(1 - method.alpha)} \max_{{|\delta|, |\xi| \le "
                   rf"{tex(method.eps)}}} \ell(m, \delta, \xi)")  # fmt: skip
    return [weights, *_masks(result, "anp", place, "learning under noise")]


def rnp(result: Result, place: Place | None) -> list[Step]:
    """The accuracy after unlearning, one mask, and the pruning."""
    found = report(result)
    steps = [] if "unlearn/accuracy" not in found else [Step(
        f"Accuracy on clean batches after {int(found['unlearn/steps'])} steps of unlearning.",
        tex(float(found["unlearn/accuracy"])),
    )]  # fmt: skip
    return steps + _masks(result, "rnp", place, "the unlearned model recovered by masks")


def clp(result: Result, place: Place | None) -> list[Step]:
    """One channel's bound against its layer's mean and deviation."""
    bounds = by_layer(report(result), "uclc")
    if not bounds:
        return _standardised(by_layer(result.images, "uclc"), place)
    above = {layer: (b - b.mean()) / b.std().clamp_min(1e-12) for layer, b in bounds.items()}
    layer, channel = known(above, place)
    own, u = bounds[layer], method_of(result).u
    limit = float(own.mean() + u * own.std())
    pruned, total = sum(int((z > u).sum()) for z in above.values()), sum(len(z) for z in above.values())
    return [
        Step(f"Channel {channel} of {layer}: the largest singular value of its weights, times the scale of its batch "
             "norm over its deviation.",
             rf"\mathrm{{UCLC}} = {tex(float(own[channel]))}"),
        Step(f"The limit in this layer of {len(own)} channels.",
             rf"\mu + u\, s = {tex(float(own.mean()))} + {tex(u)} \cdot {tex(float(own.std()))} = {tex(limit)}"),
        Step("Channels above the limit of their layer, of all: these are pruned.", rf"\frac{{{pruned}}}{{{total}}}"),
        *validation(result),
    ]  # fmt: skip


def _standardised(above: dict[str, Tensor], place: Place | None) -> list[Step]:
    if not above:
        return []
    layer, channel = known(above, place)
    return [Step(f"Channel {channel} of {layer}: how many standard deviations its bound lies above the layer's mean.",
                 rf"(\mathrm{{UCLC}} - \mu) / s = {tex(float(above[layer][channel]))}")]  # fmt: skip
