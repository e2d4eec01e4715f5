"""Decoded data sets, kept beside the Hub's own cache so that the next start need not decode again.

`HF_HOME/perturb-lab/` holds one safetensors file per data set, commit, part and size. The files may
be deleted at any time; where the folder cannot be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from torch import Tensor

MAX_BYTES = 1_000_000_000
RULE = 2
"""Of the rules by which rows become splits: what was kept by an older one is not read."""


def _file(repo: str, commit: str, part: str, size: int | None) -> Path:
    from huggingface_hub import constants

    name = f"{repo.replace('/', '--')}-{commit}-{part}-{size or 'own'}-{RULE}.safetensors"
    return Path(constants.HF_HOME) / "perturb-lab" / name


def stored(
    repo: str, commit: str, part: str, size: int | None, images: Tensor, labels: Tensor, names: tuple[str, ...]
) -> None:
    """Keep a decoded part, unless it is huge or the folder cannot be written."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    if images.nbytes > MAX_BYTES:
        return
    file = _file(repo, commit, part, size)
    passing = file.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError, SafetensorError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            save_file({"images": images, "labels": labels}, passing, metadata={"names": json.dumps(names)})
            passing.replace(file)
        finally:
            passing.unlink(missing_ok=True)  # half of it, where the disk is full


def decoded(repo: str, commit: str, part: str) -> bool:
    """Whether a part is kept in some size."""
    own = _file(repo, commit, part, None)
    return any(own.parent.glob(own.name.replace("-own-", "-*-")))


def restored(repo: str, commit: str, part: str, size: int | None) -> tuple[Tensor, Tensor, tuple[str, ...]] | None:
    """Images, labels and class names as they were stored, or None."""
    from safetensors import SafetensorError, safe_open

    file = _file(repo, commit, part, size)
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="pt") as kept:
            return kept.get_tensor("images"), kept.get_tensor("labels"), tuple(json.loads(kept.metadata()["names"]))
    except (OSError, SafetensorError):
        return None
