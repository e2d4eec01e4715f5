from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import MultiStepLR

from core.data.imageset import ImageSet
from core.knobs import knob
from core.runs import Progress, Run
from core.triggers.input_aware.generator import Generator, drawn, rebuilt
from core.triggers.shared.trigger import LearnedTrigger
from core.triggers.shared.trigger_optimizer import TriggerOptimizer

BETAS = (0.5, 0.9)


@dataclass(frozen=True)
class InputAware(LearnedTrigger):
    """A pattern generated for each picture by a network, and trained not to work on another picture.

    Nguyen, Tran, "Input-Aware Dynamic Backdoor Attack", NeurIPS 2020 (arXiv 2010.08138): x' = x + (G(x) - x) m(x) with
    m(x) = S(M(x)) and S(z) = tanh(20 z - 10) / 2 + 1 / 2. The mask network M (one channel) is trained first, then
    frozen; the pattern network G (as many channels as the picture) is trained together with the model. In each batch
    `rate` of the pictures carry their own trigger and the label asked for; `cross` times as many carry the trigger of
    another picture and keep their true label.

    The masks' loss weighs density against diversity, a ratio of distances between pictures and between masks. Here
    pictures are compared in [0, 1]; the release compares them normalised, on CIFAR-10 by a standard deviation of 1/4,
    which makes its diversity weigh 4 times as much: `mask_diversity`. (The patterns' ratio is the same either way.)

    `state` holds the weights of both networks, "mask.…" and "pattern.…". They are fitted by the training:
    `Standard(poison=Poison(InputAware()))`. Raises ValueError before that.
    """

    density: float = knob(
        0.032, low=0.0, high=1.0, step=0.004, help="share of a mask that costs nothing", paper=0.032, primary=True
    )
    cross: float = knob(1.0, low=0.0, high=4.0, step=0.25, help="cross pictures per poisoned one", paper=1.0)
    mask_epochs: int = knob(4, low=1, high=100, step=1, help="passes that train the mask network", paper=25)
    lr: float = knob(0.01, low=1e-4, high=0.1, symbol="η", help="learning rate of both networks (Adam)", paper=0.01)
    sparsity: float = knob(100.0, low=0.0, high=1000.0, help="weight of the mask's density", paper=100.0)
    diversity: float = knob(1.0, low=0.0, high=10.0, symbol="λ", help="weight of the diversity losses", paper=1.0)
    mask_diversity: float = knob(1.0, low=0.0, high=10.0, help="further weight of the masks' diversity", paper=4.0)
    width: int = knob(12, low=4, high=32, step=4, help="channels of the first layer of both networks")

    controls_training: ClassVar[bool] = True
    after_augmentation: ClassVar[bool] = True

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        return laid(images, self.mask(images), self.pattern(images))

    def mask(self, images: Tensor) -> Tensor:
        """m(x) (N, 1, H, W) in (0, 1)."""
        return threshold(self._net("mask", images)(images))

    def pattern(self, images: Tensor) -> Tensor:
        """G(x) (N, C, H, W) in [0, 1]."""
        return self._net("pattern", images)(images)

    def crossed(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Each of the images (N, C, H, W), N > 1, with the trigger of another one; the shift is drawn."""
        shift = int(torch.randint(1, len(images), (1,), generator=generator))
        others = images.roll(shift, 0)
        return laid(images, self.mask(others), self.pattern(others))

    def with_state(self, state: dict[str, Tensor]) -> Self:
        """The same knobs with these networks; ValueError where their layers are not those of `width`."""
        channels = len(state.get("pattern.head.bias", "rgb"))
        with torch.device("meta"):
            nets = {name: self.network(name, channels) for name in ("mask", "pattern")}
        expected = {f"{name}.{key}": each.shape for name, net in nets.items() for key, each in net.state_dict().items()}
        if {name: each.shape for name, each in state.items()} != expected:
            raise ValueError(f"The networks are not those of an InputAware of width {self.width}.")
        return super().with_state(state)

    def network(self, name: str, channels: int) -> Generator:
        """A new mask or pattern network for pictures of so many channels."""
        return Generator(channels, 1 if name == "mask" else channels, self.width)

    def _net(self, name: str, like: Tensor) -> nn.Module:
        make = functools.partial(self.network, name, like.shape[1])
        with torch.device("meta"):
            names = list(make().state_dict())
        return rebuilt(make, {key: self.learned(f"{name}.{key}", like) for key in names})

    def trigger_optimizer(
        self, train: ImageSet, mode: str, *, epochs: int, batch_size: int, generator: torch.Generator
    ) -> TriggerOptimizer:
        """What trains both networks."""
        return InputAwareOptimizer(self, train, epochs=epochs, batch_size=batch_size, generator=generator)


class InputAwareOptimizer(TriggerOptimizer):
    """First the mask network alone, then the pattern network along with the model.

    Both by Adam, with the learning rate cut to a tenth at the paper's milestones, taken as shares of the schedule.
    """

    def __init__(
        self, trigger: InputAware, train: ImageSet, *, epochs: int, batch_size: int, generator: torch.Generator
    ):
        super().__init__()
        self.trigger, self.train, self.batch_size, self.generator = trigger, train, batch_size, generator
        self.per_epoch = len(train) // batch_size
        channels, device = train.images.shape[1], train.images.device
        self.mask = drawn(functools.partial(trigger.network, "mask", channels), generator).to(device)
        self.pattern = drawn(functools.partial(trigger.network, "pattern", channels), generator).to(device)
        self.optimiser = torch.optim.Adam(self.pattern.parameters(), trigger.lr, BETAS)
        self.schedule = _cut(self.optimiser, epochs * self.per_epoch, (1 / 3, 1 / 2, 2 / 3, 5 / 6))

    @property
    def fitted(self) -> InputAware:
        """The trigger with both networks as they stand."""
        nets = {"mask": self.mask, "pattern": self.pattern}
        return self.trigger.with_state({
            f"{name}.{key}": value.clone() for name, net in nets.items() for key, value in net.state_dict().items()
        })  # fmt: skip

    def prepare(self) -> Run[None]:
        """Train the mask network on pairs of neighbours in shuffled batches, then freeze it."""
        optimiser = torch.optim.Adam(self.mask.parameters(), self.trigger.lr, BETAS)
        total = self.trigger.mask_epochs * self.per_epoch
        schedule = _cut(optimiser, total, (0.4, 0.8))
        for step in range(1, total + 1):
            if step % self.per_epoch == 1 % self.per_epoch:
                order = torch.randperm(len(self.train), generator=self.generator)
            start = (step - 1) % self.per_epoch * self.batch_size
            index = order[start : start + self.batch_size].to(self.train.images.device)
            images = self.train.images[index].float().div_(255)
            masks = threshold(self.mask(images))
            dense = F.relu(masks - self.trigger.density).mean()
            varied = diversity(images, images.roll(1, 0), masks, masks.roll(1, 0))
            optimiser.zero_grad(set_to_none=True)
            weight = self.trigger.diversity * self.trigger.mask_diversity
            (self.trigger.sparsity * dense + weight * varied).backward()
            optimiser.step()
            schedule.step()
            yield Progress("mask", step, total, {"density": masks.mean().item(), "diversity": varied.item()})
        self.mask.requires_grad_(False)

    def stamped(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """The first images of the (shuffled) batch with their own trigger, the next ones with their neighbour's."""
        n = len(images)
        attacked = round(rate * n)
        crossed = min(round(self.trigger.cross * attacked), n - attacked)
        if not attacked + crossed:
            return images, labels
        neighbours = (torch.arange(attacked, attacked + crossed, device=images.device) + 1) % n
        givers = torch.cat((images[:attacked], images[neighbours]))
        patterns = self.pattern(givers)
        made = laid(images[: attacked + crossed], threshold(self.mask(givers)), patterns)
        pairs = min(attacked, crossed)
        self.penalty = self.trigger.diversity * diversity(
            givers[:pairs], givers[attacked:][:pairs], patterns[:pairs], patterns[attacked:][:pairs]
        )
        return torch.cat((made, images[attacked + crossed :])), torch.cat((wanted[:attacked], labels[attacked:]))


def laid(images: Tensor, masks: Tensor, patterns: Tensor) -> Tensor:
    """x + (p - x) m: the picture where m is 0, the pattern where it is 1."""
    return torch.lerp(images, patterns, masks.expand_as(images))


def threshold(z: Tensor) -> Tensor:
    """S(z) = tanh(20 z - 10) / 2 + 1 / 2: nearly a step at 1 / 2, with a gradient."""
    return torch.tanh(20 * z - 10) / 2 + 0.5


def diversity(first: Tensor, second: Tensor, drawn_first: Tensor, drawn_second: Tensor) -> Tensor:
    """Mean over pairs of d(x1, x2) / (d(g1, g2) + 1e-7), d the root mean square difference: small where different
    pictures are drawn differently. Pairs of equal pictures are left out; 0 where no pair is left."""
    apart = _distance(first, second)
    ratios = apart / (_distance(drawn_first, drawn_second) + 1e-7)
    different = apart > 1e-6
    return ratios.where(different, 0).sum() / different.sum().clamp(min=1)


def _distance(first: Tensor, second: Tensor) -> Tensor:
    # 1e-14 keeps the root's gradient finite where two drawings coincide.
    return ((first - second).square().flatten(1).mean(1) + 1e-14).sqrt()


def _cut(optimiser: torch.optim.Optimizer, total: int, shares: tuple[float, ...]) -> MultiStepLR:
    return MultiStepLR(optimiser, [max(1, round(share * total)) for share in shares], 0.1)
