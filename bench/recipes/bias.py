"""The networks of the bias test: Scenes whose backgrounds tell the class of 95 % of the pictures, and what is tried
against it.

`scenes-biased` is plain training, `scenes-biased-consistency` explanation consistency, the others are its controls.
Those that end in -bagnet are interpretable networks: their answer is the sum of an evidence map.
"""

from __future__ import annotations

from core.training import ExplanationConsistency, Standard
from lab.recipes import Recipe

DATA = "scenes-biased"
ARCHITECTURES = {"": "arch:preact_resnet18?width=16", "-bagnet": "arch:cifar_bagnet?width=48"}
RULES = {
    "consistency": "1 - E", "byloss": "loss", "byconfidence": "confidence", "permuted": "permuted", "reversed": "E",
    "noise": "noise",
}  # fmt: skip
"""What a picture counts for, by the name of the network."""
EPOCHS, BATCH = 30, 128


def recipes() -> dict[str, Recipe]:
    """All networks by name, with seed 0."""
    found = {}
    for end, architecture in ARCHITECTURES.items():
        plain = Standard(epochs=EPOCHS, batch_size=BATCH)
        found[f"scenes-biased{end}"] = Recipe(plain, architecture, DATA)
        for name, rule in RULES.items():
            method = ExplanationConsistency(weights=rule, epochs=EPOCHS, batch_size=BATCH)
            found[f"scenes-biased-{name}{end}"] = Recipe(method, architecture, DATA)
    return found
