"""What the paper on FMix claims (arXiv 2002.12047)."""

from __future__ import annotations

from lab.claims.claim import Check, Claim
from lab.claims.evidence import difference

LIVE = {"method": {"method": "Mixing"}, "model": "zoo:scenes-clean", "data": "scenes"}
COLUMN = "learned from"
UNMIXED, MIXUP, CUTMIX, FMIX = ({COLUMN: name} for name in ("no mixing", "MixUp", "CutMix", "FMix"))


def _accuracy(other: str) -> Check:
    of, less = {"net": "cifar10-fmix"}, {"net": f"cifar10-{other}"}
    return Check(f"accuracy held out, FMix less {other}", difference("fmix", "ACC held out", of, less))


def _scores(first: str, second: str, column: str) -> Check:
    of, less = {"net": f"cifar10-{first}"}, {"net": f"cifar10-{second}"}
    return Check(f"{column}, {first} less {second}", difference("fmix", column, of, less))


def _shared(other: dict[str, str]) -> Check:
    find = difference("fmix-information", "shared, lower", MIXUP, other)
    return Check(f"shared, MixUp less {other[COLUMN]}", find, below=True, unit="nats")


def _layer(layer: str, mixed: dict[str, str]) -> Check:
    find = difference("fmix-information", layer, mixed, UNMIXED)
    return Check(f"information at {layer}, {mixed[COLUMN]} less no mixing", find, unit="nats")


CLAIMS = (
    Claim(
        "fmix-accuracy", "fmix",
        "FMix trains more accurate networks than MixUp and CutMix, and than no mixing.",
        "PreAct-ResNet-18 of width 16, 24,000 pictures of CIFAR-10, 84 epochs, 5,000 pictures held out.",
        (_accuracy("mixup"), _accuracy("cutmix"), _accuracy("unmixed")),
        "mixing", LIVE,
        "One network, one data set and, but for CutMix, one seed; two more of each and of the baseline would decide.",
    ),
    Claim(
        "fmix-compression", "fmix",
        "MixUp's representation shares least with that learned without mixing; CutMix and FMix share nearly as much "
        "as another training without mixing.",
        "Small VAEs on 1,000 pictures of Scenes, three of each: information that their code shares with a VAE without "
        "mixing.",
        (
            _shared(CUTMIX), _shared(FMIX), _shared(UNMIXED),
        ),
        "mixing", LIVE,
        "The VAEs are small and learned for ten epochs; the released code takes 100 epochs of CIFAR-10.",
    ),
    Claim(
        "fmix-depth", "fmix",
        "Mixing changes how the input is compressed with depth.",
        "Information about which picture it was, at the deepest convolution and in the code, against no mixing.",
        (_layer("convolution 4", MIXUP), _layer("convolution 4", FMIX), _layer("code", CUTMIX)),
        "mixing", LIVE,
        "The estimates lie between two bounds that are wider apart than the mixers.",
    ),
    Claim(
        "fmix-two-effects", "fmix",
        "Augmentation has two separable effects: distorting pictures helps against small perturbations, masking them "
        "against missing parts.",
        "Robustness of the CIFAR-10 nets to PGD and to occlusion, 500 test pictures.",
        (
            _scores("mixup", "cutmix", "PGD"), _scores("mixup", "fmix", "PGD"),
            _scores("cutmix", "mixup", "occluded"), _scores("fmix", "mixup", "occluded"),
        ),
        "mixing", LIVE,
        "One net of each; more seeds would decide.",
    ),
)  # fmt: skip
