"""How much a representation that was learned from mixed pictures shares with one that was learned without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.metrics.information import Bounds, information_bounds, layer_bounds
from core.networks.model_state import frozen
from core.networks.vae import SCALE, VAE, code_divergence
from core.optim.batches import batches, steps_per_epoch
from core.optim.gradients import backward_of
from core.optim.objectives import Metrics, Objective, Pass
from core.optim.schedules import stepped
from core.optim.train import train_steps
from core.runs import Progress, Run
from core.training.mixing.cutmix import CutMix
from core.training.mixing.fmix import FMix
from core.training.mixing.mixer import Mixer
from core.training.mixing.mixup import MixUp

BASE = "no mixing"
MIXERS: dict[str, Mixer | None] = {BASE: None, "MixUp": MixUp(), "CutMix": CutMix(), "FMix": FMix()}
PIXEL_NOISE = 0.1
"""Deviation of the noise on a reconstruction, in normalised pixels, as in the released code."""
CODE = "code"
SIZE = 32


@dataclass(frozen=True)
class Shared:
    """Of each augmentation, over its repeats.

    shared : bounds on the information that its code shares with that of no mixing; for "no mixing" itself the level
        against which the others are read
    layers : bounds on the information about which picture it was, from the first convolution to the code
    """

    shared: Mapping[str, list[Bounds]]
    layers: Mapping[str, list[Mapping[str, Bounds]]]


@dataclass(frozen=True)
class SharedInformation(Method):
    """The mutual-information analysis of Harris et al., "FMix", 2020 (arXiv 2002.12047), on small VAEs.

    A VAE learns from plain pictures, and one each from pictures mixed by MixUp, CutMix and FMix, which are its input
    and its target. On clean test pictures, q being the encoder of the mixed one: a picture is reconstructed by the
    plain VAE, with noise, and encoded by the other; the mean of KL(q(z | reconstruction) || N(0, I)) is called the
    lower bound, and of KL(q(z | picture) || N(0, I)) the upper one. As N(0, I) stands in for the codes' own
    distribution, both are estimates, which may cross; they are read against those of the plain VAE with itself. That
    the plain VAE reconstructs, and not the other, is our reading of the released code.

    The authors train 100 epochs at lr 0.05 on CIFAR-10, with 64 codes and 32 channels; the lab's defaults run live.
    Beside that, how much each layer keeps of which picture it was (`core.metrics.information`), which is the lab's.
    """

    epochs: int = knob(10, low=1, high=200, step=1, paper=100, primary=True, help="passes over the pictures")
    pictures: int = knob(1000, low=64, high=50_000, step=100, primary=True, help="training pictures, the first ones")
    repeats: int = knob(2, low=1, high=10, step=1, symbol="R", help="VAEs of each kind, from other first weights")
    batch_size: int = knob(64, low=8, high=512, step=8, paper=128, help="pictures per step")
    lr: float = knob(0.002, low=1e-5, high=0.1, symbol="η", paper=0.05, help="of Adam; a tenth after 40 % and 80 %")
    width: int = knob(16, low=4, high=64, step=4, paper=32, help="channels of the first convolution")
    latent: int = knob(32, low=2, high=256, step=2, paper=64, help="numbers in a code")
    deviation: float = knob(0.3, low=0.05, high=2.0, step=0.05, paper=1.0, help="of a decoded pixel, in the loss")

    def run(self, train: ImageSet, test: ImageSet, *, seed: int = 0) -> Run[Shared]:
        """Train 4 R VAEs on the first pictures of `train`, and compare them on `test`, at least two pictures.

        Raises ValueError for pictures that are not 32 pixels wide and high.
        """
        if train.images.shape[2:] != (SIZE, SIZE) or test.images.shape[2:] != (SIZE, SIZE):
            raise ValueError(f"The VAEs take pictures of {SIZE} x {SIZE} pixels; load the data with size={SIZE}.")
        if len(test) < 2:
            raise ValueError(f"Information is about which picture it was, so it needs at least 2, not {len(test)}.")
        shared: dict[str, list[Bounds]] = {name: [] for name in MIXERS}
        layers: dict[str, list[Mapping[str, Bounds]]] = {name: [] for name in MIXERS}
        done, total = 0, self.repeats * len(MIXERS)
        for repeat in range(self.repeats):
            plain: VAE | None = None
            for name, mixer in MIXERS.items():
                model = yield from self._trained(train, mixer, seed + repeat, done, total)
                plain = model if plain is None else plain
                shared[name].append(_bounds(plain, model, test.pixels, seed + repeat))
                layers[name].append(_layers(model, test.pixels))
                done += 1
                found = {f"{one}/shared": each[-1].lower for one, each in shared.items() if each}
                yield Progress("measure", done, total, found)
        return Shared(shared, layers)

    def _trained(self, train: ImageSet, mixer: Mixer | None, seed: int, done: int, total: int) -> Run[VAE]:
        data = train[: self.pictures]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = VAE(train.images.shape[1], self.width, self.latent, self.deviation).to(train.images.device)
        per_epoch = steps_per_epoch(data, self.batch_size)
        steps = self.epochs * per_epoch
        run = train_steps(
            model, batches(data, self.batch_size, torch.Generator().manual_seed(seed), flip=True, pad=0),
            torch.optim.Adam(model.parameters(), lr=self.lr), stepped(self.lr, (steps * 2 // 5, steps * 4 // 5)), steps,
            generator=torch.Generator().manual_seed(seed), objective=_objective(mixer), every=10,
        )  # fmt: skip
        for progress in run:
            yield Progress("train", done * steps + progress.step, total * steps, progress.metrics)
        return model.requires_grad_(False)


def _objective(mixer: Mixer | None) -> Objective:
    """The mean loss of a VAE on a batch, mixed or not."""

    def objective(model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        pictures = images if mixer is None else mixer(images, labels).images

        def one_pass() -> Metrics:
            return {"loss": backward_of(model, lambda x: model(x).mean(), pictures)}

        return one_pass

    return objective


@torch.no_grad()
def _bounds(plain: VAE, other: VAE, pictures: Tensor, seed: int) -> Bounds:
    with frozen(plain), frozen(other), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = plain.reconstruct(pictures)
        made = made + PIXEL_NOISE * SCALE * torch.randn_like(made)
        lower, upper = (code_divergence(*other.encode(each)).mean().item() for each in (made, pictures))
    return Bounds(lower, upper)


@torch.no_grad()
def _layers(model: VAE, pictures: Tensor) -> Mapping[str, Bounds]:
    with frozen(model):
        found = {f"convolution {place}": layer_bounds(x) for place, x in enumerate(model.layers(pictures), start=1)}
        mean, log = model.encode(pictures)
    return found | {CODE: information_bounds(mean, (2 * log).exp())}
