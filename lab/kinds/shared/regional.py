"""What a run of `Regional` has beside the attack: the whole picture, other models, frequencies, and two costs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from core.attacks import Adversarial, compare, global_counterpart, loading_slip, resize_cost, transfer
from core.metrics.spectrum import fine_share, log_amplitude
from core.runs import Progress, Run
from lab import loading
from lab.kinds.shared.pictures import Batch
from lab.kinds.shared.setting import method_of
from lab.results import Result
from models import Classifier

MOST = 24
"""Models that one table of transfer has beside the source and its judge."""
EXAMPLES = ("region", "whole picture", "random noise")


def beside(
    result: Result, source: Classifier, judge: Classifier | None, batch: Batch, arguments: dict[str, Any],
    local: Adversarial, noisy: Tensor, right: Tensor,
) -> Run[None]:  # fmt: skip
    """The global counterpart with the same targets, and what both have in common and not.

    noisy : the regional examples with random signs, the control
    right : bool (N,), pictures that the source answers rightly

    figures : "global/success", "kept", and "ratio/l2", "median/l2", "low/l2", "high/l2", "lower/l2" … (region : whole,
        over the counts' n where both succeeded); "global/l2" … (means over its successes); "fine", "global/fine",
        "control/fine" (share of the change's energy above half the Nyquist frequency, where both succeeded);
        "slip/l2" …, "slipped/l2" … (loading with 224: alone, and with the attack); "resized", "unresized" (the judge of
        another size)
    images : "transfer" (3, M) and "transfer/n" (M,), rows as in `EXAMPLES`; "spectra" (3, H, W)
    notes : "models", the M names separated by commas, and "judged by", one of them; "left out"; "judge_size",
        "unresized"
    """
    plain = {name: value for name, value in arguments.items() if name != "mask"}
    attack = global_counterpart(method_of(result.recipe))
    everywhere = yield from attack.run(source, batch.data.pixels, batch.labels, **plain)
    _against_global(result, local, everywhere)
    examples = (local.images, everywhere.images, noisy)
    yield from _transfer(result, source, judge, batch, examples, right)
    _spectra(result, batch.data.pixels, examples, local.report["kept"] & local.success & everywhere.success)
    yield Progress("frequencies", 1, 1)
    _slip(result, batch.data.pixels, local)
    if judge is not None:
        _resize(result, judge, batch, local)


def _against_global(result: Result, local: Adversarial, everywhere: Adversarial) -> None:
    """The fair comparison of the two."""
    found = compare(local, everywhere)
    if found.n:
        result.figures |= {"success": found.local_rate, "global/success": found.global_rate}
        result.counts |= {"success": found.n, "global/success": found.n}
    if found.n_global:
        result.figures["kept"], result.counts["kept"] = found.kept_rate, found.n_global
    for name, ratio in found.ratios.items():
        if ratio.n:
            shares = {f"ratio/{name}": ratio.mean, f"median/{name}": ratio.median, f"lower/{name}": ratio.lower}
            result.figures |= shares
            result.counts |= dict.fromkeys(shares, ratio.n)
        if ratio.interval is not None:
            result.figures |= dict(zip((f"low/{name}", f"high/{name}"), ratio.interval, strict=True))
    _write(result, "global/", everywhere.norms, everywhere.success & everywhere.report["kept"])
    for name, values in everywhere.norms.items():
        result.per_image[f"global/{name}"] = [round(value, 6) for value in values.tolist()]
    result.per_image["global/success"] = everywhere.success.tolist()
    shown = slice(0, len(result.images["original"]))
    result.images["global"] = everywhere.images[shown]
    result.images["global/perturbation"] = everywhere.images[shown] - result.images["original"]


def _write(result: Result, head: str, values: dict[str, Tensor], counted: Tensor) -> None:
    """Means over the pictures that are counted, bool (N,)."""
    if n := int(counted.sum()):
        for name, each in values.items():
            result.figures[head + name], result.counts[head + name] = each[counted].double().mean().item(), n


def _transfer(
    result: Result, source: Classifier, judge: Classifier | None, batch: Batch, examples: tuple[Tensor, ...],
    right: Tensor,
) -> Run[None]:  # fmt: skip
    """The source, the judge, and then the models that the recipe names, where they know the same classes."""
    asked = [loading.classifier(ref) for ref in result.recipe.inputs.get("judges", [])]
    nets = {net.card.ref: net for net in (source, *([] if judge is None else [judge]), *asked)}
    strangers = [ref for ref, net in nets.items() if net.class_names != source.class_names]
    if strangers:
        result.notes["left out"] = f"{', '.join(strangers)}, since other classes are known there"
        nets = {ref: net for ref, net in nets.items() if ref not in strangers}
    found = yield from transfer(list(nets.values()), batch.data.pixels, examples, batch.labels, right=right)
    result.images |= {"transfer": found.fooled, "transfer/n": found.n}
    result.notes["models"] = ", ".join(nets)
    if judge is not None:
        result.notes["judged by"] = judge.card.ref


def _spectra(result: Result, original: Tensor, examples: tuple[Tensor, ...], both: Tensor) -> None:
    """Of the changes of the pictures where both attacks succeeded."""
    if not bool(both.any()):
        return
    changes = [(each - original)[both] for each in examples]
    result.images["spectra"] = torch.stack([log_amplitude(each) for each in changes])
    for head, each in zip(("", "global/", "control/"), changes, strict=True):
        share = fine_share(each)
        _write(result, head, {"fine": share}, ~share.isnan())


def _slip(result: Result, original: Tensor, local: Adversarial) -> None:
    """What loading with 224 in place of 255 adds, to the pictures alone and to the changes of the successes."""
    kept = local.report["kept"]
    _write(result, "slip/", loading_slip(original), kept)
    _write(result, "slipped/", loading_slip(original, local.images), kept & local.success)


def _resize(result: Result, judge: Classifier, batch: Batch, local: Adversarial) -> None:
    """The judge of another size: what it was asked, and what resizing the examples costs the attack."""
    if "judge_size" not in local.report:
        return
    height, width = local.report["judge_size"]
    result.notes["judge_size"] = f"resized to {width} x {height} for the judge, which weakens transfer"
    cost = resize_cost(judge, batch.data.pixels, local.images, batch.labels, right=local.report["kept"])
    if cost is None:
        result.notes["unresized"] = "the judge takes pictures of its own size only, so nothing is compared without it"
    elif cost.n:
        result.figures |= {"resized": cost.resized, "unresized": cost.unresized}
        result.counts |= dict.fromkeys(("resized", "unresized"), cost.n)
