"""What the paper on regional adversarial perturbation claims (arXiv 2007.03198)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import every

RECIPE = {"method": {"method": "Regional"}, "model": "zoo:scenes-clean", "data": "scenes"}
PAPERS = {"region": "[sfr]*"}
"""The paper's own families: square, frame and random."""
OVER = "pairs of networks and regions"


def _smaller(norm: str) -> Check:
    find = every("regional", lambda row: row[f"{norm} ratio"], PAPERS, OVER)
    return Check(f"{norm}, region : global, where both transfer", find, 1.0, below=True, unit="")


EXPERIMENT = "Directed pairs of networks on CIFAR-10 and ImageNet; square, frame and random region of 28 % of the area"
WHY = (
    "Each case is one picture and one target with one seed, and the networks are small; what counts as a case, only "
    "pictures that both networks get right, is stricter here than in the released code, which never asks the judge of "
    "the clean picture. More seeds and the paper's own networks would decide."
)
CLAIMS = (
    Claim(
        "regional-transfer", "regional",
        "Restricted to a region, about three in four adversarial examples still transfer (published: 76 %).",
        f"{EXPERIMENT}; of the pictures whose global example transfers. 66 % or more counts.",
        (Check("share that still transfers", every("regional", lambda row: row["still transfer"], PAPERS, OVER), 0.66,
               unit="%"),),
        "regions", RECIPE, WHY,
    ),
    Claim(
        "regional-norms", "regional",
        "Depending on the region, local examples need a significantly smaller L0, L2 and L∞.",
        f"{EXPERIMENT}; median ratio of the norms over the pictures where both transfer. L0 falls by construction.",
        (_smaller("L0"), _smaller("L2"), _smaller("Linf")),
        "regions", RECIPE, WHY,
    ),
)  # fmt: skip
