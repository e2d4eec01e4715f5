"""Trainings that differ in nothing but how pictures are mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.knobs import Method, knob
from core.training.mixing.cutmix import CutMix
from core.training.mixing.fmix import FMix
from core.training.mixing.mixer import Mixer
from core.training.standard import Standard

UNMIXED, FIRST, SECOND = "unmixed", "first", "second"


@dataclass(frozen=True)
class Mixing(Method):
    """A mixer, a second one, and no mixing, each in a training of its own: from the same first weights, on the same
    batches, with the same schedule. What differs in the end is due to the mixing, and to the chance of a single seed.

    The trainings are those of `Standard`. The FMix authors compare so on all of CIFAR-10, over 200 epochs (Harris et
    al., 2020, arXiv 2002.12047), which is far more than a live run can do.

    epochs, pictures, batch_size, lr : as in `Standard`, for all of them
    severity, eps : how hard the corruptions and PGD are that the networks are tried with afterwards
    """

    first: Method = knob(FMix(), help="a mixer: MixUp, CutMix or FMix")
    second: Method | None = knob(CutMix(probability=0.5), help="another one, or nothing")
    epochs: int = knob(5, low=1, high=200, step=1, primary=True, paper=200, help="passes over the pictures")
    pictures: int = knob(2000, low=32, high=50_000, step=100, primary=True, help="training pictures, the first ones")
    batch_size: int = knob(64, low=8, high=512, step=2, paper=128, help="pictures per step")
    lr: float = knob(0.05, low=1e-3, high=1.0, symbol="η", paper=0.1, help="highest learning rate of the cycle")
    severity: int = knob(3, low=1, high=5, step=1, help="of the corruptions that the networks are tried with")
    eps: float = knob(
        2 / 255, low=0.0, high=16 / 255, step=1 / 255, symbol="ε", help="of the PGD that they are tried with"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, mixer in ((FIRST, self.first), (SECOND, self.second)):
            if not isinstance(mixer, Mixer) and (name == FIRST or mixer is not None):
                raise ValueError(f"Mixing.{name} = {mixer!r} mixes no pictures; give MixUp(), CutMix() or FMix().")

    def trainings(self) -> Mapping[str, Standard]:
        """What is trained: "unmixed", "first" and, where there is one, "second"."""
        mixers = {UNMIXED: None, FIRST: self.first} | ({} if self.second is None else {SECOND: self.second})
        return {name: Standard(epochs=self.epochs, lr=self.lr, batch_size=self.batch_size, pictures=self.pictures,
                               mix=mixer) for name, mixer in mixers.items()}  # fmt: skip
