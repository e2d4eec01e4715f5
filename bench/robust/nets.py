"""The family of robust and plain networks that ships with the lab: what each is called and how it is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.attacks import PGD
from core.method_json import to_dict
from core.training import AWP, FGSMRS, MART, NFGSM, SAM, TRADES, Adversarial, Standard
from core.training.shared.robust_training import RobustTraining

ARCHITECTURE = "arch:preact_resnet18?width=16"
HELDOUT = 500
"""Pictures behind the record of each epoch, of those trained on and of those held out alike."""
PSEUDO = 5000
"""Pictures that a plainly trained network labels, for one net of the family."""
SCENES_EPOCHS = 30
STEPS = 7
"""Of the attack in training."""
RECORD_EVERY = 5
"""Epochs between two looks; a look after every one would take more passes than the training itself."""
LOOK, SCORED = 33, 300
"""What a look after an epoch takes, and the scores of a finished net, in passes over a batch of the training."""


@dataclass(frozen=True)
class Budget:
    """What every net of the family may use: training pictures, epochs, and pictures per step.

    These are the values that the shipped nets were trained with.
    """

    pictures: int = 1000
    epochs: int = 115
    batch_size: int = 128

    @property
    def steps(self) -> int:
        return self.epochs * (self.pictures // self.batch_size)


@dataclass(frozen=True)
class Net:
    """One net of the family.

    best : the name under which the weights of the best epoch on pictures held out are kept too, if they are
    start : the network that it begins as, with first weights or, on Scenes, trained without an attack
    snapshots : how often the weights are kept while it trains
    shipped : whether it ships with the lab, or only stands behind a figure
    """

    name: str
    data: str
    method: Standard | RobustTraining
    seed: int = 0
    start: str = ARCHITECTURE
    best: str = ""
    snapshots: int = 0
    shipped: bool = True

    def recipe(self, early_stop: bool = False) -> dict[str, Any]:
        """The recipe that trains it again, as JSON."""
        method: Any = self.method
        if early_stop:
            method = dataclasses.replace(method, early_stop=True)
        return {
            "v": 1, "method": to_dict(method), "model": self.start, "data": self.data, "inputs": {},
            "seed": self.seed,
        }  # fmt: skip

    @property
    def labelled(self) -> int:
        """Pictures that it is trained on with their own labels."""
        method = self.method
        return method.pictures - (method.heldout + method.pseudo_labelled if isinstance(method, RobustTraining) else 0)

    @property
    def cost(self) -> float:
        """Passes over a batch until it is trained and scored, roughly."""
        method = self.method
        passes = 1.0 + isinstance(method.weight_perturbation, AWP | SAM)
        pictures = method.pictures
        if isinstance(method, RobustTraining):
            attack: Any = method.attack
            passes += attack.steps + isinstance(method, TRADES | MART) + (method.rotation > 0)
            passes += 8 * (method.augmentation != "flip and shift")  # on the CPU
            pictures -= method.heldout
        looks = LOOK if isinstance(method, Standard) or method.heldout else 0
        return method.epochs * (passes * (pictures // method.batch_size) + looks / RECORD_EVERY) + SCORED


def family(budget: Budget) -> list[Net]:
    """All nets, those that take longest first."""
    nets = [*_plain(budget), *_robust(budget), *_seeds(budget)]
    return sorted(nets, key=lambda net: -net.cost)


def shared(budget: Budget) -> dict[str, Any]:
    return dict(
        epochs=budget.epochs, batch_size=budget.batch_size, pictures=budget.pictures + HELDOUT, heldout=HELDOUT, lr=0.1,
        attack=PGD(steps=STEPS), record_every=RECORD_EVERY,
    )  # fmt: skip


def _plain(budget: Budget) -> Iterator[Net]:
    settings: dict[str, Any] = dict(
        epochs=budget.epochs, batch_size=budget.batch_size, pictures=budget.pictures, lr=0.1, schedule="piecewise"
    )
    yield Net("cifar10-plain", "cifar10", Standard(**settings))
    yield Net("cifar10-sam", "cifar10", Standard(**settings, weight_perturbation=SAM(rho=0.1)))
    yield Net("cifar10-labelsmoothing", "cifar10", Standard(**settings, label_smoothing=0.3))


def _robust(budget: Budget) -> Iterator[Net]:
    common = shared(budget)
    awp, trades_awp = AWP(gamma=0.01, warmup=budget.epochs // 10), AWP(gamma=0.005, warmup=budget.epochs // 10)
    longer = common | {"epochs": budget.epochs * 3 // 2}
    more = common | {
        "pictures": budget.pictures + HELDOUT + PSEUDO, "pseudo_labelled": PSEUDO,
        "epochs": max(1, budget.epochs * budget.pictures // (budget.pictures + PSEUDO)),
    }  # fmt: skip
    methods: dict[str, RobustTraining] = {
        "fgsm-rs": Adversarial(**common | {"attack": FGSMRS()}),
        "n-fgsm": Adversarial(**common | {"attack": NFGSM()}),
        "at-awp": Adversarial(**common, weight_perturbation=awp),
        "trades": TRADES(**common),
        "trades-awp": TRADES(**common, weight_perturbation=trades_awp),
        "mart": MART(**common),
        "mart-awp": MART(**common, weight_perturbation=awp),
        "at-weightdecay": Adversarial(**common, weight_decay=5e-3),
        "at-labelnoise": Adversarial(**common, label_noise=0.3),
        "at-labelsmoothing": Adversarial(**common, label_smoothing=0.3),
        "at-autoaugment": Adversarial(**common, augmentation="AutoAugment"),
        "at-rotation": Adversarial(**common, rotation=1.0),
        "at-pseudo": Adversarial(**more),
    }
    for name, method in methods.items():
        yield Net(f"cifar10-{name}", "cifar10", method)
    yield Net("cifar10-at", "cifar10", Adversarial(**common), best="cifar10-at-early")
    yield Net("cifar10-at-long", "cifar10", Adversarial(**longer), snapshots=12)
    yield from _scenes(common)


def _scenes(common: dict[str, Any]) -> Iterator[Net]:
    """AT and AT-AWP on Scenes: from a trained network at a low rate, as from first weights both stay at chance."""
    short = common | {"epochs": SCENES_EPOCHS, "lr": 0.02}
    for name, awp in (("scenes-at", None), ("scenes-at-awp", AWP(gamma=0.01, warmup=SCENES_EPOCHS // 10))):
        yield Net(name, "scenes", Adversarial(**short, weight_perturbation=awp), start="zoo:scenes-clean")


def _seeds(budget: Budget) -> Iterator[Net]:
    """The comparison of AT and AT-AWP again, with other first weights and other batches."""
    common, awp = shared(budget), AWP(gamma=0.01, warmup=budget.epochs // 10)
    for seed in (1, 2):
        yield Net(f"cifar10-at-seed{seed}", "cifar10", Adversarial(**common), seed, shipped=False)
        method = Adversarial(**common, weight_perturbation=awp)
        yield Net(f"cifar10-at-awp-seed{seed}", "cifar10", method, seed, shipped=False)
