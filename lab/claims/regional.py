"""What the paper on regional adversarial perturbation claims (arXiv 2007.03198)."""

from __future__ import annotations

from typing import Any

from lab.claims.claim import Check, Claim
from lab.claims.evidence import every

RECIPE = {"method": {"method": "Regional"}, "model": "zoo:scenes-clean", "data": "scenes"}
OVER = "directions and regions"


def _kept(row: dict[str, Any]) -> float | None:
    """Of the pictures whose global example transfers, the share whose regional one does too."""
    transferred = row["transfer, global"] * row["n"]
    return row["pairs"] / transferred if transferred else None


def _smaller(norm: str) -> Check:
    find = every("regional", lambda row: row[f"{norm} ratio"], {}, OVER)
    return Check(f"{norm}, region : global, where both transfer", find, 1.0, below=True, unit="")


WHY = (
    "37 to 39 pictures of two MobileNets with 7 to 10 cases where both transfer say little; 100 pictures of more pairs "
    "would decide."
)
CLAIMS = (
    Claim(
        "regional-transfer", "regional",
        "Restricted to a region, about three in four adversarial examples still transfer (published: 76 %).",
        "Two MobileNets, both directions, square, frame and random region of 28 % of the area; 66 % or more counts.",
        (Check("share that still transfers", every("regional", _kept, {}, OVER), 0.66, unit="%"),),
        "regions", RECIPE, WHY,
    ),
    Claim(
        "regional-norms", "regional",
        "Depending on the region, local examples need a significantly smaller L0, L2 and L∞.",
        "Median ratio of the norms over the pictures where both transfer; L0 falls by construction.",
        (_smaller("L0"), _smaller("L2"), _smaller("Linf")),
        "regions", RECIPE, WHY,
    ),
)  # fmt: skip
