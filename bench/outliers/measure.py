"""One cell: a method, a share of outliers among the training pictures and a seed; resumable."""

from __future__ import annotations

import time
from typing import Any

import torch

from bench import kept
from core.anomaly import ITSR, AdversarialAutoencoder, Autoencoder
from core.data import ImageSet, load_data
from core.data.contamination import OBSERVED, UNOBSERVED, channels, contaminated, judged
from core.device import hardware
from core.metrics import bacc, bacc_ceiling, roc
from core.runs import finish

FILE = kept.FOLDER / "outliers.json"
NORMAL, OUTLIER = "0", "2"
PICTURES = 1000
"""Normal training pictures, the first ones."""
METHODS: dict[str, Any] = {
    "AE": Autoencoder(epochs=100, batch_size=100), "AAE": AdversarialAutoencoder(epochs=100, batch_size=100),
    "ITSR": ITSR(pretrain=30, refine=8, retrain=30, batch_size=100),
}  # fmt: skip
"""On a reduced schedule: 100 epochs in all, width 256, batches of 100."""
SHARES = (0.01, 0.05, 0.001)
SEEDS = (0, 1, 2)

Cell = dict[str, Any]


def planned() -> list[tuple[float, int, str]]:
    """Every cell, the published setting first, then one seed of the other shares, then the other seeds."""
    order = [(SHARES[0], SEEDS[0]), *((share, SEEDS[0]) for share in SHARES[1:])]
    order += [(share, seed) for share in SHARES for seed in SEEDS[1:]]
    return [(share, seed, name) for share, seed in order for name in METHODS]


class Pictures:
    """MNIST, with one channel, loaded once."""

    def __init__(self) -> None:
        self.train, self.test = channels(load_data("mnist", "train"), load_data("mnist", "test"))

    def training(self, share: float, seed: int) -> tuple[ImageSet, torch.Tensor]:
        normal = self.train[self.train.named(NORMAL)][:PICTURES]
        return contaminated(normal, self.train[self.train.named(OUTLIER)], share, seed=seed)

    def testing(self) -> tuple[ImageSet, torch.Tensor]:
        own, other = self.test.named(NORMAL), self.test.named(OUTLIER)
        return judged(self.test[own], self.test[other], self.test[~own & ~other])


def measured(pictures: Pictures, share: float, seed: int, name: str) -> Cell:
    """Train, and score on all test pictures of MNIST."""
    train, truth = pictures.training(share, seed)
    test, kinds = pictures.testing()
    began = time.process_time()
    model: Any = finish(METHODS[name].run(train, seed=seed))
    scores, own = model.score(test.images).cpu(), model.score(train.images).cpu()
    rejected = (own > 1).float().mean().item()
    cell: Cell = {
        "method": name, "share": share, "seed": seed, "n_train": len(train), "outliers": int(truth.sum()),
        "cpu_seconds": round(time.process_time() - began, 1), "hardware": hardware(),
        "ceiling": bacc_ceiling(rejected, truth.float().mean().item()), "train_bacc": bacc(own, truth),
    }  # fmt: skip
    for kind, said in ((OBSERVED, "observed"), (UNOBSERVED, "unobserved")):
        some = (kinds == 0) | (kinds == kind)
        cell[f"bacc_{said}"] = bacc(scores[some], kinds[some] == kind)
        cell[f"auroc_{said}"] = roc(scores[some], kinds[some] == kind).auroc
        cell[f"n_{said}"] = int(some.sum())
    if name == "ITSR":
        candidates = model.history[-1] <= 0
        cell |= {"candidates": int(candidates.sum()), "candidates_outliers": int((candidates & truth).sum())}
    return cell
