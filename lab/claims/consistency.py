"""What the paper on explanation consistency claims (Wu et al., 2024)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import difference

LIVE = {"method": {"method": "ExplanationConsistency"}, "model": "zoo:scenes-biased", "data": "scenes"}
BY = "pictures count by"
PLAIN, WEIGHTED, BY_LOSS = ({BY: name} for name in ("plain training", "weights 1 − E", "weights by loss"))
PERMUTED, REVERSED, NOISE = ({BY: name} for name in ("*permuted*", "weights E", "*noise*"))


def _change(column: str, bound: float = 0.0, below: bool = False, unit: str = "points") -> Check:
    return Check(f"{column}, weights 1 − E less plain", difference("bias", column, WEIGHTED, PLAIN), bound, below, unit)


CLAIMS = (
    Claim(
        "consistency-accuracy", "explanation-consistency",
        "Weighting pictures by how little their explanation stays raises accuracy.",
        "Scenes whose background tells the class of 95 % of the training pictures, test pictures likewise.",
        (_change("as trained"),),
        "attention", LIVE,
        "The nets start from one that has learned shapes, at 97 %: there is little to gain.",
    ),
    Claim(
        "consistency-bias", "explanation-consistency",
        "It lowers the network's bias toward backgrounds.",
        "The same nets on shuffled backgrounds, and the gap of the background challenge.",
        (_change("shuffled"), _change("gap", below=True)),
        "attention", LIVE,
        "Along these trainings E did not pick out the pictures with another background as their loss did; a network "
        "trained from the start at the paper's scale would decide.",
    ),
    Claim(
        "consistency-robustness", "explanation-consistency",
        "It makes the network more robust.",
        "PGD on the whole picture and on the background, and seven corruptions, 200 pictures.",
        (_change("PGD"), _change("PGD, background"), _change("corrupted")),
        "attention", LIVE,
        "The background attack that weighs the pictures does not train the network on attacked ones.",
    ),
    Claim(
        "consistency-localisation", "explanation-consistency",
        "Its heatmaps lie more precisely on the object, and change less.",
        "Energy pointing game of Grad-CAM against the exact masks, and mean E.",
        (_change("heat on object"), _change("mean E", unit="")),
        "attention", LIVE,
        "Maps of 4 x 4 cells on 32 x 32 pixels are coarse; larger pictures would decide.",
    ),
    Claim(
        "consistency-interpretable", "explanation-consistency",
        "All this holds for interpretable networks too.",
        "A BagNet-style network, whose evidence map adds up to its logits, trained plainly and with weights 1 − E.",
        (Check("shuffled, BagNet, weights 1 − E less plain",
               difference("bias", "shuffled", {"network": "*bagnet*", **WEIGHTED}, {"network": "*bagnet*", **PLAIN})),),
        "attention", LIVE,
        "BagNets were not trained: `python -m bench.bias` trains them.",
    ),
    Claim(
        "consistency-parts", "explanation-consistency",
        "Each part contributes: explanations pick the pictures better than loss does, or than weights at random.",
        "The same training with weights by loss, permuted, reversed, and with noise in place of the attack.",
        (
            Check("shuffled, 1 − E less weights by loss", difference("bias", "shuffled", WEIGHTED, BY_LOSS)),
            Check("shuffled, 1 − E less permuted weights", difference("bias", "shuffled", WEIGHTED, PERMUTED)),
            Check("shuffled, 1 − E less reversed weights", difference("bias", "shuffled", WEIGHTED, REVERSED)),
            Check("shuffled, 1 − E less noise for the attack", difference("bias", "shuffled", WEIGHTED, NOISE)),
        ),
        "attention", LIVE,
        "In no setting that was searched (the table's note) did E pick out the pictures with another background as "
        "well as loss does. Other layers, data or schedules would decide.",
    ),
)  # fmt: skip
