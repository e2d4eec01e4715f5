"""Finished runs that ship with the lab in full, with their pictures: what a page shows before anything is run.

A run is one file, `stored/runs/<name>.safetensors`; its metadata holds what is no tensor, as JSON. The rows of
`lab.run_log` have figures alone.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from lab.recipes import Recipe
from lab.results import Result

FOLDER = Path(__file__).resolve().parent / "stored" / "runs"
PLAIN = ("figures", "counts", "per_image", "notes", "seconds", "device", "versions")
"""What of a result is kept beside its tensors; its curve and models are not."""


def write(name: str, result: Result, hardware: str) -> Path:
    """Keep a finished run under `name`, with what computed it; pictures as bytes, as they are shown."""
    said = {"recipe": result.recipe.to_dict(), **{field: getattr(result, field) for field in PLAIN}}
    said["notes"] = result.notes | {"hardware": hardware}
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    tensors = {key: _small(value).contiguous() for key, value in result.images.items()}
    save_file(tensors, path, {"result": json.dumps(said)})
    path.chmod(0o644)
    return path


@functools.cache
def read(name: str) -> Result | None:
    """The run that is kept under `name`, shared: do not change it; None where there is none."""
    path = FOLDER / f"{name}.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        said = json.loads(file.metadata()["result"])
        images = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    return Result(Recipe.from_dict(said.pop("recipe")), images=images, **said)


def _small(tensor: Tensor) -> Tensor:
    """Pictures (N, C, H, W) in [0, 1] as uint8; whatever else as it is."""
    pictures = tensor.dim() == 4 and tensor.dtype.is_floating_point
    return (tensor * 255).round().to(torch.uint8) if pictures else tensor
