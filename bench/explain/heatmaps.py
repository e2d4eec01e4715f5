"""Heatmaps beside those of captum and the grad-cam package: processor time turn by turn, and how far they agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from bench.interleaved import interleaved
from bench.keep import keep
from core.explain import (
    AblationCAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    XGradCAM,
    enlarged,
)
from core.metrics.correlation import rank_correlations


@dataclass(frozen=True)
class Case:
    """One comparison: our method, the other library's, pictures of so many pixels, turns, and how many times faster
    ours has to be."""

    ours: Any
    against: str
    pictures: int
    size: int
    turns: int
    goal: float


OTHERS = (HiResCAM(), GradCAMPlusPlus(), XGradCAM(), LayerCAM(), EigenCAM())
CASES = (
    Case(GradCAM(), "captum", 1, 224, 30, 1 / 1.05),
    Case(GradCAM(), "captum", 16, 224, 6, 1 / 1.05),
    Case(GradCAM(), "grad-cam", 1, 224, 20, 1),
    Case(GradCAM(), "grad-cam", 16, 224, 6, 2.5),
    *(Case(method, "grad-cam", 16, 224, 1, 1) for method in OTHERS),
    Case(AblationCAM(), "grad-cam", 1, 224, 1, 5),
    Case(AblationCAM(), "grad-cam", 16, 64, 1, 5),
    Case(ScoreCAM(), "grad-cam", 1, 224, 1, 5),
    Case(ScoreCAM(), "grad-cam", 16, 64, 1, 5),
)


def other(case: Case, net: nn.Module, images: Tensor, targets: Tensor) -> Callable[[], object]:
    """The other library's call for the same maps."""
    if case.against == "captum":
        method = LayerGradCam(net, net.get_submodule("layer4"))
        return lambda: method.attribute(images, target=targets, relu_attributions=False)
    import pytorch_grad_cam as package
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = getattr(package, type(case.ours).__name__)(model=net, target_layers=[net.get_submodule("layer4")])
    wanted = [ClassifierOutputTarget(int(target)) for target in targets]
    return lambda: cam(input_tensor=images, targets=wanted)


def agree(ours: Tensor, theirs: Any) -> float:
    """Mean rank correlation of the positive parts of both libraries' maps: theirs may have lost the negative one."""
    other = torch.as_tensor(theirs).detach().float()
    other = enlarged(other[:, 0] if other.ndim == 4 else other, ours.shape[1:])
    return float(rank_correlations(ours.clamp_min(0), other.clamp_min(0)).nanmean())


def row(case: Case, net: nn.Module) -> dict[str, Any]:
    """Median milliseconds of both, how many times faster ours is, and how far the maps agree."""
    images = torch.rand(case.pictures, 3, case.size, case.size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        targets = net(images).argmax(1)  # a class that the picture speaks for: of others, grad-cam's maps are zero
    call = other(case, net, images, targets)
    agreement = agree(case.ours(net, images, targets), call())
    ours, theirs = interleaved(
        lambda: case.ours(net, images, targets), call, repeats=case.turns, clock=time.process_time
    )
    return {
        "method": type(case.ours).__name__, "pictures": case.pictures, "pixels": case.size, "against": case.against,
        "ours": round(ours, 1), "theirs": round(theirs, 1), "times faster": round(theirs / ours, 2),
        "agreement": round(agreement, 4),
        "goal": f"≥ {case.goal:.2g}", "turns": case.turns,
    }  # fmt: skip


def measured() -> list[dict[str, Any]]:
    """All comparisons on a ResNet-18 with random weights."""
    torch.manual_seed(0)
    net = timm.create_model("resnet18", num_classes=1000).eval()
    rows = []
    for case in CASES:
        rows.append(row(case, net))
        print(rows[-1], flush=True)
    return rows


def publish(rows: list[dict[str, Any]], command: str) -> Path:
    """The table lab/stored/tables/heatmaps.json."""
    return keep(
        "heatmaps", "How long heatmaps take", rows, command=command,
        n="the median of the turns that the table names, both libraries in turn in one process", seeds=[0],
        units={"ours": "ms", "theirs": "ms"},
        note="Processor time. ResNet-18 with random weights, the maps of its last stage; ours also enlarges the map "
        "to the picture. Score-CAM and Ablation-CAM take 512 passes a picture; grad-cam takes each of them through the "
        "whole network, ours for Ablation-CAM from the layer on. Agreement: mean rank correlation of the positive "
        "parts of both maps.",
    )  # fmt: skip
