"""What the paper on robust flatness claims (Stutz et al., ICCV 2021, arXiv 2104.04448)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import correlation, difference, runs
from lab.flatness_family import withstands

FLAT = {"method": {"method": "AverageFlatness"}, "model": "zoo:scenes-at", "data": "scenes"}
RESCALED = {"method": {"method": "Rescaling"}, "model": "zoo:scenes-at", "data": "scenes", "inputs": {"n": 64}}
EARLY, LATE = {"model": "cifar10-at-early"}, {"model": "cifar10-at"}
ROBUST = {"data": "cifar10"}
MEASURES = {"flatness": "relative balls", "absolute": "balls of an absolute size", "trace": "trace of the Hessian"}


def _moved(name: str, before: str) -> Check:
    """By what share of itself a measure moves when a layer is multiplied by 8 and the next divided by it."""
    find = runs("Rescaling", "zoo:*-at*", lambda of: abs(of[name] / of[before] - 1) if of[before] else None)
    still = name == "flatness"
    return Check(f"share by which it moves, {MEASURES[name]}", find, 0.01 if still else 0.1, still, "%")


CLAIMS = (
    Claim(
        "flatness-overfitting", "flatness",
        "Robust overfitting goes with a loss of flatness over the epochs.",
        "Six snapshots of one adversarial training of 172 epochs.",
        (
            Check("epoch with average-case flatness",
                  correlation("flatness-epochs", "epoch", "average", {}, over="snapshots"), unit=""),
            Check("robust loss with average-case flatness",
                  correlation("flatness-epochs", "robust loss", "average", {}, over="snapshots"), unit=""),
        ),
        "flatness", FLAT,
        "One training; two more seeds would show how it varies.",
    ),
    Claim(
        "flatness-early", "flatness",
        "Early stopping finds flatter minima.",
        "The same training stopped early less trained to the end, ten draws, and the worst case.",
        (
            Check("average-case flatness, stopped less trained to the end",
                  difference("flatness", "average", EARLY, LATE, "draws"), below=True, unit="nats"),
            Check("worst-case flatness, stopped less trained to the end",
                  difference("flatness", "worst", EARLY, LATE), below=True, unit="nats"),
        ),
        "flatness", FLAT,
        "One training, so that the interval is over draws of the weights alone.",
    ),
    Claim(
        "flatness-robustness", "flatness",
        "More robust networks are flatter.",
        "Rank correlation of flatness with the robust test loss over the nets that withstand the attack.",
        (
            Check("average case with robust loss",
                  correlation("flatness", "average", "robust loss", ROBUST, withstands), unit=""),
            Check("worst case with robust loss",
                  correlation("flatness", "worst", "robust loss", ROBUST, withstands), unit=""),
        ),
        "flatness", FLAT,
        "One training of each net; a net that withstands no attack is left out, since its loss tells how sure it is.",
    ),
    Claim(
        "flatness-scale", "flatness",
        "The measures do not change when a network is rescaled; naive ones do.",
        "One layer times 8 and the next divided by 8, three seeds: the function is the same.",
        (_moved("flatness", "before/flatness"), _moved("absolute", "before/absolute"), _moved("trace", "before/trace")),
        "flatness", RESCALED,
        "The draws are the same before and after, so that what moves is the measure.",
    ),
)  # fmt: skip
