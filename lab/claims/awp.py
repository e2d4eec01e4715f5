"""What the paper on adversarial weight perturbation (AWP) claims (arXiv 2004.05884)."""

from __future__ import annotations

import dataclasses

from lab.claims.claim import Check, Claim
from lab.claims.evidence import Evidence, columns, correlation, difference
from lab.claims.sample import Sample
from lab.flatness_family import withstands

LIVE = {
    "method": {"method": "Adversarial", "weight_perturbation": {"method": "AWP"}}, "model": "zoo:scenes-clean",
    "data": "scenes",
}  # fmt: skip
BESIDE = {"v": "1", "method": "AT-AWP", "beside": "AT", "model": "zoo:scenes-clean", "data": "scenes"}
FLAT = {"method": {"method": "AverageFlatness"}, "model": "zoo:scenes-at-awp", "data": "scenes"}
AT, AWP = {"method": "AT"}, {"method": "AT-AWP"}


def _net(name: str) -> dict[str, str]:
    return {"net": f"cifar10-{name}"}


def _flatter(first: str, second: str, measure: str = "average") -> Check:
    """A net's flatness less another's, the same draws of both."""
    of, less = {"model": f"cifar10-{first}"}, {"model": f"cifar10-{second}"}
    find = difference("flatness", measure, of, less, "draws")
    return Check(f"{measure}-case flatness, {first} less {second}", find, below=True, unit="nats")


def falls_less(evidence: Evidence) -> Sample | None:
    """How far robust accuracy falls from its best epoch to the last with AWP, less the same without, seed by seed."""
    falls = [columns("awp", "best epoch", "last epoch", where)(evidence) for where in (AWP, AT)]
    if falls[0] is None or falls[1] is None:
        return None
    pairs = zip(falls[0].values, falls[1].values, strict=True)
    return dataclasses.replace(falls[0], values=tuple(a - b for a, b in pairs))


CLAIMS = (
    Claim(
        "awp-robustness", "awp",
        "AWP raises robust accuracy at the last epoch, on top of AT, TRADES and MART.",
        "PreAct-ResNet-18 of width 16, 1,000 pictures of CIFAR-10, PGD-20 on 1,000 test pictures.",
        (
            Check("AT-AWP less AT", difference("awp", "robust", AWP, AT)),
            Check("MART-AWP less MART", difference("robust", "robust", _net("mart-awp"), _net("mart"))),
            Check("TRADES-AWP less TRADES", difference("robust", "robust", _net("trades-awp"), _net("trades"))),
        ),
        "robust_training", LIVE,
        "MART and TRADES have one seed; two more would decide.", BESIDE,
    ),
    Claim(
        "awp-gap", "awp",
        "AWP narrows the robust generalisation gap.",
        "The same nets: robust accuracy on training pictures less that on test pictures, at the last epoch.",
        (
            Check("gap, AT-AWP less AT", difference("awp", "gap", AWP, AT), below=True),
            Check("gap, MART-AWP less MART", difference("robust", "gap", _net("mart-awp"), _net("mart")), below=True),
            Check("gap, TRADES-AWP less TRADES", difference("robust", "gap", _net("trades-awp"), _net("trades")),
                  below=True),
        ),
        "robust_training", LIVE,
        "MART and TRADES have one seed; two more would decide.", BESIDE,
    ),
    Claim(
        "awp-overfitting", "awp",
        "Without AWP robust accuracy falls from its best epoch to the last; with AWP it falls less.",
        "Best less last epoch under PGD-10 on 500 pictures held out, three seeds.",
        (
            Check("AT, best less last epoch", columns("awp", "best epoch", "last epoch", AT), 0.03),
            Check("the same fall, AT-AWP less AT", falls_less, below=True),
        ),
        "robust_training", LIVE,
        "A larger network, or fewer pictures, overfits more; the published setting is 50 times as large.", BESIDE,
    ),
    Claim(
        "awp-flatness-gap", "awp",
        "Flatness of the weight loss landscape goes with the robust generalisation gap.",
        "Rank correlation over the nets of the family that withstand the attack.",
        (
            Check("average-case flatness with the gap",
                  correlation("flatness", "average", "gap", {"data": "cifar10"}, withstands), unit=""),
            Check("worst-case flatness with the gap",
                  correlation("flatness", "worst", "gap", {"data": "cifar10"}, withstands), unit=""),
        ),
        "flatness", FLAT,
        "One training of each net; more nets would narrow the interval.",
    ),
    Claim(
        "awp-implicit", "awp",
        "Early stopping, other objectives and more data flatten the landscape implicitly.",
        "Average-case flatness of each net less that of AT trained to the end, ten draws.",
        (_flatter("at-early", "at"), _flatter("trades", "at"), _flatter("mart", "at"), _flatter("at-pseudo", "at")),
        "flatness", FLAT,
        "One training of each net, so that the interval is over draws of the weights alone.",
    ),
    Claim(
        "awp-flatter", "awp",
        "AWP flattens the landscape.",
        "Average- and worst-case flatness of the nets with AWP less that of those without.",
        (_flatter("at-awp", "at"), _flatter("mart-awp", "mart"), _flatter("at-awp", "at", "worst")),
        "flatness", FLAT,
        "One training of each net; the worst case has one value, that of the strongest of three restarts.",
    ),
)  # fmt: skip
