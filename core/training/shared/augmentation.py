"""What a training may do to a batch beside flips and shifts: AutoAugment, and noise on the labels."""

from __future__ import annotations

import torch
from torch import Tensor

from core.optim.batches import Transform

PLAIN, AUTO = AUGMENTATIONS = ("flip and shift", "AutoAugment")


def disturbed(generator: torch.Generator, *, augmentation: str, label_noise: float, classes: int) -> Transform | None:
    """What changes a batch after it is flipped and shifted; None where nothing does.

    AutoAugment (Cubuk et al., CVPR 2019): torchvision's CIFAR-10 policy, drawn for each picture.
    label_noise : the probability with which a label is replaced by one drawn uniformly from all classes, in each batch
        anew, so that no wrong label can be learned by heart
    """
    if augmentation == PLAIN and label_noise == 0:
        return None

    def change(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        if augmentation == AUTO:
            images = auto_augmented(images, int(torch.randint(2**31, (), generator=generator)))
        if label_noise:
            hit = torch.rand(len(labels), generator=generator) < label_noise
            drawn = torch.randint(classes, (len(labels),), generator=generator)
            labels = torch.where(hit.to(labels.device), drawn.to(labels.device), labels)
        return images, labels

    return change


def auto_augmented(images: Tensor, seed: int) -> Tensor:
    """Pictures (N, C, H, W) in [0, 1], each with a policy of its own; computed on the CPU, as torchvision does it."""
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy

    policy = AutoAugment(AutoAugmentPolicy.CIFAR10)
    bytes_ = (images * 255).round().to("cpu", torch.uint8).contiguous()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        changed = torch.stack([policy(picture) for picture in bytes_])
    return changed.to(images.device).float().div_(255)
