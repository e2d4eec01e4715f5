"""What mixing a batch means, whichever way: partners, weights, masks, and the labels that go with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.knobs import Method, knob

PER = ("picture", "batch")


class Mixed(NamedTuple):
    """A mixed batch.

    images : (N, C, H, W), each made of a picture and its partner
    labels : (N,) of the pictures themselves
    partners : (N,) int64, which picture of the batch each was mixed with; their labels are `labels[partners]`
    lam : (N,) in [0, 1], the weight of a picture's own label; 1 - lam is its partner's
    """

    images: Tensor
    labels: Tensor
    partners: Tensor
    lam: Tensor

    def soft_labels(self, classes: int) -> Tensor:
        """(N, classes): lam on the own class and 1 - lam on the partner's, as `F.cross_entropy` takes them."""
        own = F.one_hot(self.labels, classes).to(self.lam)
        return torch.lerp(own[self.partners], own, self.lam[:, None])


@dataclass(frozen=True)
class Mixer(Method):
    """x~ = m x + (1 - m) x[partner], with the label lam y + (1 - lam) y[partner]; a mixer says what m is.

    A plain transform, with or without the lab:

        mixed = FMix()(images, labels)
        loss = F.cross_entropy(net(mixed.images), mixed.soft_labels(10))

    lam ~ Beta(alpha, alpha). Partners are a random permutation of the batch, so a picture may be its own. Papers and
    torchvision draw one lam and one mask per batch; drawing them per picture makes large batches less noisy.
    """

    alpha: float = knob(
        1.0, low=0.0, high=10.0, step=0.1, symbol="α", paper=1.0, primary=True,
        help="how evenly two pictures are mixed: 0 not at all, 1 any weight alike, large halves",
    )  # fmt: skip
    per: str = knob("picture", choices=PER, paper="batch", help="whether each picture draws its own weight and mask")
    probability: float = knob(1.0, low=0.0, high=1.0, step=0.05, help="how often anything is mixed")

    def masks(
        self, lam: Tensor, size: tuple[int, int], device: torch.device, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Masks (M, H, W), or (M, 1, 1), in [0, 1] on the device for the weights lam (M,), and the weights of the
        labels (M,) that go with them."""
        raise NotImplementedError

    def __call__(self, images: Tensor, labels: Tensor, *, generator: torch.Generator | None = None) -> Mixed:
        """Mix a batch with random partners and weights.

        images : (N, C, H, W) float, on any device
        labels : (N,) int64
        generator : on the CPU, draws everything; without one PyTorch's own random numbers do

        Raises ValueError where the images are not one batch of at least two pictures of one size.
        """
        n = self._checked(images, labels)
        partners = torch.randperm(n, generator=generator)
        count = n if self.per == "picture" else 1
        lam = beta(self.alpha, count, generator)
        if self.probability < 1:
            lam = lam.where(torch.rand(count, generator=generator) < self.probability, 1.0)
        return self.mixed(images, labels, partners, lam, generator=generator)

    def mixed(
        self,
        images: Tensor,
        labels: Tensor,
        partners: Tensor,
        lam: Tensor | float,
        *,
        generator: torch.Generator | None = None,
    ) -> Mixed:
        """Mix a batch with given partners (N,) and weights lam in [0, 1]: (N,), or one for the batch."""
        n = self._checked(images, labels)
        lam = torch.as_tensor(lam, dtype=torch.float32).reshape(-1).cpu()
        if len(lam) not in (1, n) or not bool(((lam >= 0) & (lam <= 1)).all()):
            raise ValueError(
                f"{type(self).__name__} takes weights lam in [0, 1], one for the batch or one for each of its {n} "
                f"pictures, not {lam.tolist() if len(lam) < 5 else tuple(lam.shape)}."
            )
        masks, lam = self.masks(lam, (images.shape[2], images.shape[3]), images.device, generator)
        partners = partners.to(images.device)
        mixed = torch.lerp(images[partners], images, masks[:, None].to(images.dtype))
        return Mixed(mixed, labels, partners, lam.to(images.device).expand(n))

    def _checked(self, images: Tensor, labels: Tensor) -> int:
        """How many pictures there are; ValueError in one sentence where they are no batch to mix."""
        name = type(self).__name__
        if not isinstance(images, Tensor) or images.ndim != 4:
            raise ValueError(
                f"{name} mixes one tensor (N, C, H, W) of pictures of one size, not {_told(images)}; resize and stack "
                "them first."
            )
        if not images.is_floating_point():
            raise ValueError(f"{name} mixes float pictures, not {images.dtype}; divide them by 255 first.")
        if images.shape[3] in (1, 3) and min(images.shape[1:3]) > 4:
            raise ValueError(
                f"{name} got pictures {tuple(images.shape)} with the channels last; bring them to (N, C, H, W) with "
                ".permute(0, 3, 1, 2)."
            )
        if labels.shape != (len(images),):
            raise ValueError(f"{name} needs one label per picture: {len(images)}, not {tuple(labels.shape)}.")
        if len(images) < 2:
            raise ValueError(f"{name} mixes pictures with each other, so it needs at least 2, not {len(images)}.")
        return len(images)


def _told(images: object) -> str:
    """What was given instead of a batch, in a few words."""
    if isinstance(images, Tensor):
        return f"a tensor {tuple(images.shape)}"
    if isinstance(images, list | tuple) and all(isinstance(each, Tensor) for each in images):
        sizes = sorted({"x".join(map(str, each.shape[-2:])) for each in images})
        return f"{len(images)} pictures of {', '.join(sizes[:3])}"
    return type(images).__name__


def seed_from(generator: torch.Generator | None) -> int:
    """A seed for other random numbers, drawn by a generator or, without one, by PyTorch's own."""
    return int(torch.randint(2**62, (), generator=generator))


def beta(alpha: float, count: int, generator: torch.Generator | None) -> Tensor:
    """(count,) weights ~ Beta(alpha, alpha) on the CPU; alpha = 0 means no mixing, that is weights of 1."""
    if alpha == 0:
        return torch.ones(count)
    seed = seed_from(generator)
    with torch.random.fork_rng(devices=[]):  # torch.distributions takes no generator
        torch.default_generator.manual_seed(seed)
        concentration = torch.tensor(alpha, dtype=torch.float64)
        return torch.distributions.Beta(concentration, concentration).sample((count,)).float()
