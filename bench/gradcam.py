"""How long Grad-CAM takes, against captum's LayerGradCam: ResNet-18, 224 pixels, one process, turn by turn.

    python -m bench.gradcam [--threads 1] [--repeats 40]

Both explain the same layer of the same network, whose weights are random; ours also enlarges the map to the image.
On an idle machine only. Prints a row per number of pictures and keeps nothing.
"""

from __future__ import annotations

import argparse

import timm
import torch
from captum.attr import LayerGradCam
from torch import nn

from bench.interleaved import interleaved
from core.device import hardware
from core.explain import GradCAM

PICTURES = (1, 16)
GOAL = 1.05


def compared(net: nn.Module, pictures: int, repeats: int) -> tuple[float, float]:
    """Milliseconds of ours and of captum's for so many pictures at once."""
    images = torch.rand(pictures, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    targets = torch.zeros(pictures, dtype=torch.int64)
    theirs = LayerGradCam(net, net.get_submodule("layer4"))
    ours, captum = interleaved(
        lambda: GradCAM()(net, images, targets),
        lambda: theirs.attribute(images, target=targets, relu_attributions=False),
        repeats=repeats,
    )
    return ours, captum


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
    parser.add_argument("--repeats", type=int, default=40, help="turns for one picture, fewer for more (default 40)")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    net = timm.create_model("resnet18", num_classes=1000).eval()
    print(f"{hardware()}, {torch.get_num_threads()} torch threads, torch {torch.__version__}")
    print("pictures  turns  ours (ms)  captum (ms)  ratio  goal")
    for pictures in PICTURES:
        turns = max(5, asked.repeats // pictures)
        ours, captum = compared(net, pictures, turns)
        print(f"{pictures:8}  {turns:5}  {ours:9.1f}  {captum:11.1f}  {ours / captum:5.2f}  ≤ {GOAL}")


if __name__ == "__main__":
    main()
