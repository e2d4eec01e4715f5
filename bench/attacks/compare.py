"""Ours beside each library: time, success, size of the change and the largest difference of a pixel."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench import kept
from bench.attacks.cases import CASES, Case
from bench.attacks.libraries import peers
from bench.interleaved import interleaved
from core.networks.predictions import predict
from core.runs import finish

FILE = kept.FOLDER / "attacks.json"
FEW = 4
"""Pictures on which pixels are compared."""
SAME = ("FGSM", "PGD L∞", "PGD L2", "MI-FGSM")
"""Where nothing is drawn and nobody stops early, so that pixels can be compared."""


def compared(net: nn.Module, images: Tensor, labels: Tensor, file: Path = FILE) -> list[dict[str, Any]]:
    """A row for each attack and library, and one for the bare passes where their number is known.

    What the file holds of these many pictures already is not measured again.
    """
    net, rows = net.eval().requires_grad_(False), kept.read(file)
    for case in CASES:
        asked = {"attack": case.name, "setting": case.setting, "n": len(images)}
        if not kept.holds(rows, **asked):
            rows += [asked | row for row in _rows(case, net, images, labels)]
            kept.write(file, rows)
    return [{name: value for name, value in row.items() if name != "n"} for row in rows if row["n"] == len(images)]


def _rows(case: Case, net: nn.Module, images: Tensor, labels: Tensor) -> list[dict[str, Any]]:
    found: dict[str, Tensor] = {}

    def kept(name: str, attack: Callable[[], Tensor]) -> Callable[[], object]:
        return lambda: found.__setitem__(name, attack().detach())

    others = peers(case, net, images, labels)
    ours = kept("ours", lambda: finish(case.ours.run(net, images, labels)).images)
    calls = {"ours": ours} | {name: kept(name, attack) for name, attack in others.items()}
    if case.passes:
        calls["bare passes"] = lambda: _bare(net, images, labels, case.passes)
    times = dict(zip(calls, interleaved(*calls.values(), repeats=case.turns, clock=time.process_time), strict=True))
    rows = []
    for name in list(calls)[1:]:
        row = {"beside": name, "ours": times["ours"], "theirs": times[name],
               "times as fast": times[name] / times["ours"]}  # fmt: skip
        rows.append(row | (_agreement(case, net, images, labels, found, name) if name in found else {}))
        print(case.name, rows[-1], flush=True)
    return rows


def _agreement(
    case: Case, net: nn.Module, images: Tensor, labels: Tensor, found: dict[str, Tensor], name: str
) -> dict[str, Any]:
    """Success of both, mean L2 over the pictures on which both succeed, and pixels where they can be compared."""
    won = {who: predict(net, found[who]).argmax(1) != labels for who in ("ours", name)}
    both = won["ours"] & won[name]
    size = {who: (found[who] - images).flatten(1).norm(dim=1)[both].mean().item() for who in won}
    rates = {who: hits.float().mean().item() for who, hits in won.items()}
    told: dict[str, Any] = {"success": rates["ours"], "their success": rates[name]}
    if bool(both.any()):
        told |= {"L2": size["ours"], "their L2": size[name]}
    if case.name in SAME and name != "ART":
        told["largest difference of a pixel"] = f"{_apart(case, net, images, labels, name):.1e}"
    return told


def _apart(case: Case, net: nn.Module, images: Tensor, labels: Tensor, name: str) -> float:
    """The largest difference of a pixel in float64: in float32 rounding turns the sign of the smallest gradients."""
    twin, few = copy.deepcopy(net).double(), images[:FEW].double()
    theirs = peers(case, twin, few, labels[:FEW])[name]()
    return (finish(case.ours.run(twin, few, labels[:FEW])).images - theirs).abs().max().item()


def _bare(net: nn.Module, images: Tensor, labels: Tensor, passes: int) -> None:
    """As many forward and backward passes, and nothing else; FGSM's second pass judges its picture."""
    for _ in range(passes):
        x = images.clone().requires_grad_(True)
        torch.autograd.grad(nn.functional.cross_entropy(net(x), labels, reduction="sum"), x)
    predict(net, images)
