"""What the paper on backdoors by weight perturbation claims (arXiv 2008.01761)."""

from __future__ import annotations

from typing import Any

from lab.claims.claim import Check, Claim
from lab.claims.evidence import Find, Value, runs

NETS = {
    "hf:akamaster/cifar_resnet20*": "ResNet-20, CIFAR-10", "zoo:cifar10-clean": "PreAct-ResNet-18, CIFAR-10",
    "zoo:scenes-clean": "PreAct-ResNet-18, Scenes",
}  # fmt: skip
RECIPE = {
    "method": {"method": "WeightBackdoor"}, "model": "zoo:scenes-clean", "data": "scenes",
    "inputs": {"trigger": {"method": "BadNets"}},
}  # fmt: skip
PAGE = {"v": "1", "model": "zoo:scenes-clean", "data": "scenes", "trigger": "BadNets"}


def _runs(net: str, value: Value, **knobs: Any) -> Find:
    return runs("WeightBackdoor", net, value, {"keep": "logits", "box": "absolute", "eps": 0.02} | knobs)


def _lost(of: dict[str, float]) -> float:
    return of["before/acc"] - of["after/acc"]


CLAIMS = (
    Claim(
        "weights-box", "weight-backdoor",
        "A backdoor fits into an L∞ box around a trained model's weights.",
        "Every weight within 0.02 of its value, a square of 6 x 6 pixels, three networks.",
        tuple(Check(f"ASR, {name}", _runs(net, "after/asr"), 0.95, unit="%") for net, name in NETS.items())
        + tuple(Check(f"accuracy lost, {name}", _runs(net, _lost), 0.01, below=True) for net, name in NETS.items()),
        "weights", RECIPE,
        "A smaller network has less room in the same box; a wider box, or more steps, would decide it.", PAGE,
    ),
    Claim(
        "weights-predictions", "weight-backdoor",
        "The predictions on other inputs are kept.",
        "Share of clean test pictures on which the model says what it said before.",
        tuple(Check(f"agreement, {name}", _runs(net, "agreement"), 0.95, unit="%") for net, name in NETS.items()),
        "weights", RECIPE,
        "Of pictures near a boundary some always change; keep = labels keeps fewer.", PAGE,
    ),
    Claim(
        "weights-small-change", "weight-backdoor",
        "The average relative change of a weight is very small.",
        "Mean change as a share of each weight, in a box of 0.02, and in one of a tenth of each weight with its ASR.",
        tuple(Check(f"mean relative change at 0.02, {name}", _runs(net, "report/relative/mean"), 0.1, True, "%")
              for net, name in NETS.items())
        + tuple(Check(f"ASR in a box of a tenth of each weight, {name}",
                      _runs(net, "after/asr", box="relative", eps=0.1), 0.95, unit="%") for net, name in NETS.items()),
        "weights", RECIPE | {"method": {"method": "WeightBackdoor", "box": "relative", "eps": 0.1}},
        "Half of a trained network's weights are close to zero, so that 0.02 is many times their size; a relative box "
        "leaves them where they are.", PAGE | {"weightbackdoor-box": "relative", "weightbackdoor-eps": "0.1"},
    ),
    Claim(
        "weights-tasks", "weight-backdoor",
        "It works across tasks.",
        "The same settings on networks of two image data sets; no text model is part of this lab.",
        (
            Check("ASR, CIFAR-10", _runs("zoo:cifar10-clean", "after/asr"), 0.95, unit="%"),
            Check("ASR, Scenes", _runs("zoo:scenes-clean", "after/asr"), 0.95, unit="%"),
            Check("ASR, traffic signs", _runs("zoo:gtsrb-clean", "after/asr"), 0.95, unit="%"),
        ),
        "weights", RECIPE,
        "Image classifiers only; runs on traffic signs are not stored.", PAGE,
    ),
)  # fmt: skip
