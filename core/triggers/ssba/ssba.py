from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import autocast, device_of
from core.knobs import knob
from core.optim.gradients import Fit, mean_in_parts
from core.runs import Progress, Run
from core.triggers.shared.offline import OfflineTrigger, require_target
from core.triggers.ssba.steganography import FIELDS, Decoder, Encoder


@dataclass(frozen=True)
class SSBA(OfflineTrigger):
    """SSBA-style: an encoder hides the same bit string in every picture, by a change that differs from one to another.

    After Li et al., "Invisible Backdoor Attack with Sample-Specific Triggers", ICCV 2021 (arXiv 2012.03816), who take
    the networks of StegaStamp (arXiv 1904.05343) and 100 bits. Here two small networks of our own are fitted on
    pictures of 32 pixels, with random strings s, and x' = clip(x + ε E(x, s)) is stamped with the string of `key`:

        min over E, D:  BCE(D(x'), s) + λ mean relu(ε² E(x, s)² / m - 1),   m = 10^(-PSNR / 10)

    The second term, with E² averaged over each picture, asks for a similarity of PSNR decibels and no more; its λ
    starts at 0 and is reached half-way. No classifier is asked, so one fit serves every model of the same data.
    `state` holds the weights of both, as "encoder.…" and "decoder.…" (0.3 MB). Pictures of any even height and width
    from 8 pixels up can be stamped; others are refused.
    """

    bits: int = knob(32, low=16, high=32, step=16, help="length of the string, a multiple of 16; the paper hides 100")
    key: int = knob(0, low=0, high=9999, step=1, symbol="s", help="seed of the string", primary=True)
    amplitude: float = knob(
        12 / 255, low=1 / 255, high=0.2, step=1 / 255, symbol="ε", help="largest change of a value", primary=True
    )
    psnr: float = knob(34.0, low=20.0, high=50.0, step=1.0, help="similarity that is asked for, in decibels")
    similarity: float = knob(1.0, low=0.0, high=10.0, step=0.1, symbol="λ", help="weight of the similarity")
    steps: int = knob(2000, low=1, high=10000, step=100, help="steps of Adam")
    batch_size: int = knob(32, low=1, high=256, step=16, help="pictures per step")
    lr: float = knob(2e-3, low=1e-5, high=0.1, help="learning rate")
    pictures: int = knob(10_000, low=1, high=50_000, step=1000, help="pictures the encoder is fitted on")

    asks_model: ClassVar[bool] = False
    dials: ClassVar[tuple[str, ...]] = ("key", "amplitude")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits % FIELDS**2:
            raise ValueError(f"SSBA.bits = {self.bits} must be a multiple of {FIELDS**2}: each field takes its share.")

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        weights = self._weights("encoder", images)
        string = self.string.to(images)[None]
        change = torch.func.functional_call(self._net(Encoder, images), weights, (images, string))
        return (images + self.amplitude * change).clamp(0, 1)

    @property
    def string(self) -> Tensor:
        """The hidden string (bits,) of -1 and 1, drawn by `key`."""
        return _strings(1, self.bits, torch.Generator().manual_seed(self.key))[0]

    def read(self, images: Tensor) -> Tensor:
        """What the decoder reads in images (N, C, H, W): bool (N, bits)."""
        weights = self._weights("decoder", images)
        return torch.func.functional_call(self._net(Decoder, images), weights, (images,)) > 0

    def _net(self, kind: type[nn.Module], images: Tensor) -> nn.Module:
        """A net without weights, which draws no random numbers."""
        with torch.device("meta"):
            return kind(self.bits, images.shape[1])

    def _weights(self, prefix: str, images: Tensor) -> dict[str, Tensor]:
        channels = self.learned("encoder.see1.weight", images).shape[1] // 4
        height, width = images.shape[2:]
        if images.shape[1] != channels or height % 2 or width % 2 or min(height, width) < 2 * FIELDS:
            raise ValueError(
                f"SSBA stamps pictures of {channels} channels and even sides from {2 * FIELDS} pixels up, not "
                f"{images.shape[1]} x {height} x {width}; resize them."
            )
        names = (name for name in self.state if name.startswith(f"{prefix}."))
        return {name.removeprefix(f"{prefix}."): self.learned(name, images) for name in names}

    def fit(self, model: nn.Module, train: ImageSet, *, target: int, seed: int = 0) -> Run[Self]:
        """Encoder and decoder, fitted on the first `pictures` of `train`; `model` only says on which device.

        Progress: "loss", "bits" (share read rightly) and "psnr" of the batch, in decibels. Raises ValueError where the
        model has no class `target`, the pictures have odd sides, or the loss is no longer finite.
        """
        require_target("SSBA", model, train, target)
        if any(side % 2 or side < 2 * FIELDS for side in train.images.shape[2:]):
            raise ValueError(f"SSBA is fitted on pictures of even sides from {2 * FIELDS} pixels up; load others.")
        device, generator = device_of(model), torch.Generator().manual_seed(seed)
        encoder, decoder = self._fresh(train.images.shape[1], seed)
        for net in (encoder, decoder):
            net.to(device).to(memory_format=torch.channels_last)
        stream = self._batches(train, generator, device)
        weights, fit = [*encoder.parameters(), *decoder.parameters()], Fit()
        optimiser = torch.optim.Adam(weights, self.lr)

        def gradients(similarity: float, images: Tensor, strings: Tensor) -> list[Tensor]:
            with autocast(device):
                change = encoder(images, strings)
                made = (images + self.amplitude * change).clamp(0, 1)
                logits = decoder(made)
                bits = F.binary_cross_entropy_with_logits(logits.float(), (strings > 0).float())
                loss = bits + similarity * self._excess(change.float()).mean()
            error = (made.float() - images).square().mean()
            right = ((logits > 0) == (strings > 0)).float().mean()
            return [loss, right, error, *torch.autograd.grad(loss, weights)]

        for step in range(1, self.steps + 1):
            loss, right, error, *found = mean_in_parts(partial(gradients, self._weight(step)), *next(stream), fit=fit)
            if not math.isfinite(loss.item()):
                raise ValueError(f"SSBA: the loss is no longer finite at step {step}; choose a lower lr.")
            for weight, gradient in zip(weights, found, strict=True):
                weight.grad = gradient
            optimiser.step()
            psnr = -10 * error.clamp_min(1e-10).log10().item()
            yield Progress("fit", step, self.steps, {"loss": loss.item(), "bits": right.item(), "psnr": psnr})
        nets = {"encoder": encoder, "decoder": decoder}
        states = {f"{kind}.{name}": value for kind, net in nets.items() for name, value in net.state_dict().items()}
        return self.with_state({name: value.cpu().contiguous() for name, value in states.items()})

    def _weight(self, step: int) -> float:
        """λ at a step: 0 in the first quarter, then rising to its value at the half."""
        return self.similarity * min(1.0, max(0.0, 4 * step / self.steps - 1))

    def _excess(self, change: Tensor) -> Tensor:
        """How far each picture (N,) is from the similarity asked for: 0 where it is reached."""
        error = (self.amplitude * change).square().mean((1, 2, 3))
        return F.relu(error * 10 ** (self.psnr / 10) - 1)

    def _fresh(self, channels: int, seed: int) -> tuple[Encoder, Decoder]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Encoder(self.bits, channels), Decoder(self.bits, channels)

    def _batches(
        self, train: ImageSet, generator: torch.Generator, device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Pictures (N, C, H, W) in [0, 1] and random strings (N, bits), without end."""
        few = train[: self.pictures]
        while True:
            index = torch.randint(len(few), (self.batch_size,), generator=generator)
            images = few.images[index.to(few.images.device)].to(device).float().div_(255)
            strings = _strings(self.batch_size, self.bits, generator).to(device)
            yield images.contiguous(memory_format=torch.channels_last), strings


def _strings(n: int, bits: int, generator: torch.Generator) -> Tensor:
    """Random strings (n, bits) of -1 and 1."""
    return 2.0 * torch.randint(2, (n, bits), generator=generator) - 1
