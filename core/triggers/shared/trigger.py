"""What every trigger is: a function on pictures."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.data.modes import ALL_TO_ALL, ALL_TO_ONE
from core.knobs import Method

if TYPE_CHECKING:
    from core.triggers.shared.trigger_optimizer import TriggerOptimizer


class Trigger(Method):
    """`trigger(images, targets=None) -> images`: float (N, C, H, W) in [0, 1], same shape out.

    The input is never changed in place. `targets` (N,) matters only to any-to-any triggers.
    """

    #: True where the trigger decides anew in every batch what is stamped (`poison`).
    controls_training: ClassVar[bool] = False
    #: True where the batch is flipped and shifted before it is stamped, not after.
    after_augmentation: ClassVar[bool] = False
    #: The modes (`Poison.mode`) in which the trigger can be trained in.
    modes: ClassVar[tuple[str, ...]] = (ALL_TO_ONE, ALL_TO_ALL)
    #: The share of the pictures that the paper stamps, and whether it keeps their labels (`Poison.paper_for`).
    paper_rate: ClassVar[float] = 0.1
    paper_clean_label: ClassVar[bool] = False

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        raise NotImplementedError

    @property
    def stampable(self) -> bool:
        """Whether the trigger can be stamped as it is: nothing about it is still to be learned."""
        return True

    def poison(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """One shuffled batch (images, labels) with a share `rate` poisoned towards the labels `wanted` (N,)."""
        raise NotImplementedError

    def trigger_optimizer(
        self, train: ImageSet, mode: str, *, epochs: int, batch_size: int, generator: torch.Generator
    ) -> TriggerOptimizer | None:
        """What learns the trigger in a training on `train`; None where there is nothing to learn."""
        return None


class LearnedTrigger(Trigger):
    """A trigger with something learned: `state`, tensors by name, outside knobs, hash and equality.

    `state` is empty until the trigger was fitted; it is saved as `trigger.safetensors` beside the model.
    """

    #: Knobs that only scale what was learned, and may be moved afterwards.
    dials: ClassVar[tuple[str, ...]] = ()

    @property
    def state(self) -> dict[str, Tensor]:
        """What was learned; empty before."""
        return vars(self).get("_state", {})

    @property
    def stampable(self) -> bool:
        return bool(self.state)

    def with_state(self, state: dict[str, Tensor]) -> Self:
        """The same knobs with this state, detached."""
        twin = copy.copy(self)
        vars(twin)["_state"] = {name: tensor.detach() for name, tensor in state.items()}
        return twin

    def taught_by(self, own: Trigger) -> Self:
        """This trigger with what `own` has learned, where the two differ in no knob but the dials; else itself."""
        if not isinstance(own, type(self)) or self.state or not own.state:
            return self
        moved = {name: getattr(self, name) for name in self.dials}
        turned: Any = dataclasses.replace(own, **moved)  # type: ignore[type-var]  # every trigger is a dataclass
        return self.with_state(own.state) if turned == self else self

    def learned(self, name: str, like: Tensor) -> Tensor:
        """One tensor of the state on the device and in the dtype of `like`.

        Raises ValueError in one sentence while the trigger is not fitted.
        """
        if name not in self.state:
            raise ValueError(
                f"{type(self).__name__} has not been fitted yet, so there is nothing to stamp; fit it first, or load "
                "a model that was trained with it."
            )
        return self.state[name].to(like)
