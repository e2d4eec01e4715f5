"""What is known about a model before it is opened, and what goes wrong when one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class ModelError(ValueError):
    """A model was refused; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Card:
    """Where a model comes from and what was done to it.

    ref : what `models.load` was given ("zoo:scenes-clean", "hf:owner/name@<commit>", a folder)
    origin : "shipped with the lab", "Hugging Face Hub" or "local folder"
    sha : the Hub commit, else the SHA-256 of the weights file
    data : the data set it was trained on, as `load_data` takes it, or "" where nobody said
    done : plain words: how it was trained, and whether it was backdoored on purpose
    scores : data name -> {"acc", "asr", "ra", "n", "n_asr"} as measured when it was made
    recipe : the recipe that trained it, as JSON, where there is one
    """

    ref: str
    origin: str
    licence: str = "unknown"
    sha: str = ""
    data: str = ""
    done: str = ""
    architecture: str = ""
    parameters: int = 0
    num_classes: int = 0
    backdoored: bool = False
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
