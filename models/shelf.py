"""The models that ship with the lab: one folder each in models/zoo, listed without opening them."""

from __future__ import annotations

import difflib
import hashlib
import json
import time
from functools import lru_cache
from pathlib import Path

from models.card import Card, ModelError
from models.config import Plan, read_config

ZOO = Path(__file__).parent / "zoo"
SHIPPED, HUB, LOCAL = "shipped with the lab", "Hugging Face Hub", "local folder"
MAX_HEADER = 10_000_000


def available() -> list[Card]:
    """The cards of all shipped models, by name; neither torch nor timm is imported for it."""
    return list(_cards().values())


def _cards() -> dict[str, Card]:
    """The cards by reference, as they were seen within this second: a page asks for them many times."""
    return _listed(ZOO, int(time.monotonic()))


@lru_cache(maxsize=1)
def _listed(zoo: Path, second: int) -> dict[str, Card]:
    cards = (shelf_card(folder) for folder in sorted(zoo.iterdir()) if (folder / "config.json").is_file())
    return {card.ref: card for card in cards}


def shipped(ref: str) -> Card | None:
    """The card of the shipped model of this name ("zoo:scenes-clean"), None where none ships with the lab."""
    return _cards().get(ref)


def zoo_folder(name: str) -> Path:
    """The folder of a shipped model, see `zoo_card`."""
    return ZOO / zoo_card(name).ref.removeprefix("zoo:")


def zoo_card(name: str) -> Card:
    """The card of a shipped model; ModelError names the likeliest ones when there is none of that name."""
    if (card := shipped(f"zoo:{name}")) is not None:
        return card
    there = [card.ref.removeprefix("zoo:") for card in available()]
    likely = difflib.get_close_matches(name, there, n=3, cutoff=0.0)
    meant = f"did you mean {' or '.join(likely)}?" if likely else "there are none yet."
    raise ModelError(f"No model called {name[:100]!r} ships with the lab; {meant}")


def shelf_card(folder: Path) -> Card:
    """The card of a shipped model, read from its config.json and the header of its weights, and again after an edit."""
    return _card(folder, _changed(folder / "config.json"), _changed(folder / "model.safetensors"))


def _changed(path: Path) -> tuple[int, int] | None:
    """When a file was changed last, and its size; None where there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=256)
def _card(folder: Path, config: tuple[int, int] | None, weights: tuple[int, int] | None) -> Card:
    """The card of a folder whose files were last changed as these two say."""
    plan = read_config(folder / "config.json", folder.name)
    sha, parameters = ("", 0) if weights is None else _weights(folder / "model.safetensors")
    return card_of(plan, f"zoo:{folder.name}", SHIPPED, sha, parameters)


def card_of(plan: Plan, ref: str, origin: str, sha: str, parameters: int, licence: str = "") -> Card:
    """A card from a plan's `perturb` block and from where the model lies."""
    block = plan.perturb
    scores, training = block.get("scores"), block.get("training")
    return Card(
        ref=ref,
        origin=origin,
        licence=str(block.get("licence") or plan.pretrained_cfg.get("license") or licence or "unknown"),
        sha=sha,
        data=str(block.get("data") or ""),
        done=str(block.get("done") or (training if isinstance(training, str) else "")),
        architecture=plan.architecture,
        parameters=parameters,
        num_classes=plan.num_classes,
        backdoored=bool(block.get("trigger")),
        scores=scores if isinstance(scores, dict) else {},
        recipe=training if isinstance(training, dict) else {},
    )


def _weights(path: Path) -> tuple[str, int]:
    """SHA-256 of a weights file and its number of parameters."""
    data = path.read_bytes()
    shapes = tensor_shapes(path)
    learned = (shape for key, shape in shapes.items() if not key.endswith(BUFFERS))
    return hashlib.sha256(data).hexdigest(), sum(_product(shape) for shape in learned)


BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor in a safetensors file, from its header alone.

    Raises ModelError when the file is not in the safetensors format.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= MAX_HEADER:
                raise ValueError(f"header of {length} bytes")
            header = json.loads(file.read(length))
        return {key: tuple(value["shape"]) for key, value in header.items() if key != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path.name} is not a safetensors file, so it was not loaded.") from error


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total
