"""What the paper on adversarial autoencoders and ITSR claims (arXiv 1901.06355)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import Find, difference, runs

LIVE = {
    "method": {"method": "ITSR"}, "model": "zoo:scenes-clean", "data": "digits",
    "inputs": {
        "normal": "class=0", "outlier": "class=2", "contamination": 0.05, "pictures": 1000, "n": 200,
        "detectors": "Autoencoder,AdversarialAutoencoder,IsolationForest,OneClassSVM",
    },
}  # fmt: skip
PAGE = {
    "v": "1", "model": "zoo:scenes-clean", "method": "ITSR", "pictures": "digits", "normal": "class=0",
    "outliers_from": "class", "outlier_class": "2", "contamination": "5", "many": "1000", "n": "200",
}  # fmt: skip
SHARES = "5 %", "1 %", "0.1 %"


def _mnist(share: str, first: str, second: str) -> Check:
    of, less = ({"contamination": share, "method": method} for method in (first, second))
    return Check(f"BAcc on MNIST at {share}, {first} less {second}", difference("itsr", "BAcc", of, less), unit="")


def _digits(first: str, second: str) -> Find:
    return runs("ITSR", "zoo:*", lambda of: of[f"{first}/bacc"] - of[f"{second}/bacc"])


def _learned(of: dict[str, float]) -> float:
    """By what share of its highest value the outliers' error, as a multiple of the normal pictures', has fallen."""
    return 1 - of["Autoencoder/ratio"] / of["Autoencoder/ratio/most"]


CLAIMS = (
    Claim(
        "itsr-by-heart", "itsr",
        "Continued training of an autoencoder lowers the error of the outliers among its pictures, and so detection.",
        "scikit-learn's digits, 0 with a twentieth of 2 among them: the outliers' error as a multiple of the normal "
        "pictures', at its highest and at the end of the training.",
        (
            Check("share of its highest value that it has lost", runs("ITSR", "zoo:*", _learned), 0.1, unit="%"),
            Check("BAcc of AE less that of isolation forest, digits", _digits("Autoencoder", "IsolationForest"),
                  below=True, unit=""),
        ),
        "outliers", LIVE,
        "A narrow network cannot learn all of its pictures by heart; more epochs, or a wider one, would.", PAGE,
    ),
    Claim(
        "itsr-prior", "itsr",
        "A prior on the latent space puts outliers into regions of low likelihood, where they are found.",
        "BAcc of the adversarial autoencoder less that of the plain one; MNIST on a reduced schedule.",
        (
            *(_mnist(share, "AAE", "AE") for share in SHARES),
            Check("BAcc on digits at 5 %, AAE less AE", _digits("AdversarialAutoencoder", "Autoencoder"), unit=""),
            Check("BAcc of the likelihood alone, digits",
                  runs("ITSR", "zoo:*", "AdversarialAutoencoder/bacc/likelihood"), 0.6, unit=""),
        ),
        "outliers", LIVE,
        "On a reduced schedule the codes have not yet taken the prior's shape; the authors train ten times as long.",
        PAGE,
    ),
    Claim(
        "itsr-refinement", "itsr",
        "Rejecting likely outliers during training makes detection more robust to contamination.",
        "BAcc of ITSR less that of the adversarial autoencoder; MNIST on a reduced schedule.",
        (
            *(_mnist(share, "ITSR", "AAE") for share in SHARES),
            Check("BAcc on digits at 5 %, ITSR less AAE", _digits("ITSR", "AdversarialAutoencoder"), unit=""),
        ),
        "outliers", LIVE,
        "The one-class SVM can reject only what lies apart in the codes, which takes a trained prior.", PAGE,
    ),
)  # fmt: skip
