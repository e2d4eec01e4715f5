"""What the paper on adversarial concept activation vectors (A-CAV) claims (arXiv 2002.03549)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import cell, paired

LIVE = {
    "method": {"method": "ACAV"}, "model": "zoo:scenes-clean", "data": "scenes",
    "inputs": {"concept": "texture=stripes", "layer": "layer3"},
}  # fmt: skip
PAGE = {
    "v": "1", "model": "zoo:scenes-clean", "data": "scenes", "method": "ACAV", "beside": "TCAV", "source": "label",
    "label": "texture", "value_texture": "stripes", "layer": "layer3",
}  # fmt: skip
BY, OVER = ("model", "concept"), "concepts and models"


def _against(column: str, method: str, less: str, below: bool = False) -> Check:
    find = paired("concepts", column, BY, {"method": method}, {"method": less}, OVER)
    return Check(f"{column}, {method} less {less}", find, below=below)


CLAIMS = (
    Claim(
        "acav-margin", "acav",
        "Larger margins raise recall (published: 18.35 to 76.83 % for fins on VGG-16).",
        "Five concepts of Scenes, two networks, 20 seeds; the margin's own share is against averaging alone.",
        (
            _against("recall at 5 % FPR", "margin and average only", "average only"),
            _against("recall", "margin and average only", "average only"),
            _against("recall at 5 % FPR", "A-CAV, margin away", "TCAV"),
        ),
        "concepts", LIVE,
        "Recall without its false positives rises with any lower threshold; at equal false positives little is left.",
        PAGE,
    ),
    Claim(
        "acav-spread", "acav",
        "Gram-Schmidt sampling and averaging lower the spread over seeds (published: 20.85 to 6.4 %).",
        "Standard deviation of the recall over 20 seeds, the same concepts and networks.",
        (
            _against("deviation", "A-CAV, margin away", "TCAV", below=True),
            _against("deviation", "average only", "TCAV", below=True),
            _against("deviation", "A-CAV, margin away", "margin and average only", below=True),
        ),
        "concepts", LIVE,
        "TCAV's own spread is small on these layers; most of what is left goes with averaging.", PAGE,
    ),
    Claim(
        "acav-control", "acav",
        "What it finds is the concept: a concept drawn at random is not found.",
        "Share of classes with p of 0.05 or less for concepts drawn at random, 20 seeds; 5 % is chance.",
        (Check("share found significant", cell("concepts-shuffled", "p ≤ 0.05", {}), 0.1, below=True, unit="%"),),
        "concepts", LIVE,
        "The permutation test keeps to its level; the t-test of the literature does not.", PAGE,
    ),
)  # fmt: skip
