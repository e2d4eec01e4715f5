"""A data set as one tensor."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Images with labels, held as one tensor and moved to the device once.

    Parameters
    ----------
    images : uint8 (N, C, H, W)
    labels : int64 (N,)
    class_names : names by label
    masks : bool (N, H, W), object = True, or None
    concepts : name -> (N,) values, e.g. the index of the texture in each image
    origin : where the data come from: name, split and commit, for results and links
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    masks: Tensor | None = None
    concepts: dict[str, Tensor] = field(default_factory=dict)
    origin: str = ""

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"ImageSet.images must be uint8 (N, C, H, W), not {self.images.dtype} "
                f"{tuple(self.images.shape)}."
            )
        if self.labels.shape != (len(self.images),):
            raise ValueError(f"ImageSet has {len(self.images)} images but labels {tuple(self.labels.shape)}.")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def pixels(self) -> Tensor:
        """All images as float32 in [0, 1]."""
        return self.images.float().div_(255)

    def __getitem__(self, index: Tensor | slice | list[int]) -> ImageSet:
        """The images at `index` (a slice, a list, an index tensor or a bool mask) as a new set."""
        if isinstance(index, list):
            index = torch.tensor(index)
        return dataclasses.replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            masks=None if self.masks is None else self.masks[index],
            concepts={name: values[index] for name, values in self.concepts.items()},
        )

    def to(self, device: torch.device | str) -> ImageSet:
        """The same set on another device."""
        return dataclasses.replace(
            self,
            images=self.images.to(device),
            labels=self.labels.to(device),
            masks=None if self.masks is None else self.masks.to(device),
            concepts={name: values.to(device) for name, values in self.concepts.items()},
        )

    def named(self, word: str) -> Tensor:
        """Which images, bool (N,), are of the class of this name, or of those with the word in their names.

        ValueError where there is no such class.
        """
        names = [name.lower() for name in self.class_names]
        exact = [label for label, name in enumerate(names) if name == word.lower()]
        found = exact or [label for label, name in enumerate(names) if word.lower() in name]
        if not found:
            raise ValueError(f"No class is called {word!r}; there are {', '.join(self.class_names[:10])}, …")
        return torch.isin(self.labels, torch.tensor(found, device=self.labels.device))

    def split(self, share: float, seed: int = 0) -> tuple[ImageSet, ImageSet]:
        """Two disjoint sets, the first with `share` of the images, drawn by `seed`."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        cut = round(share * len(self))
        order = order.to(self.images.device)
        return self[order[:cut]], self[order[cut:]]

    def sample(self, n: int, seed: int = 0) -> ImageSet:
        """At most `n` of the images, drawn by `seed`."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return self[order[:n].to(self.images.device)]
