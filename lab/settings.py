"""Every limit and address of the lab, in one object.

Each field can be set from the environment as `PERTURB_<FIELD>` (`PERTURB_QUEUE_LENGTH=50`). Three keep the
names that hosts give them: `DATABASE_URL`, `SPACE_HOST` and `CPU_CORES`. Order: environment, then the default
below; there is no second source.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settings:
    """What the lab allows, and where it keeps things.

    cache : folder of the history and of downloaded things that the Hub client does not keep itself
    database_url : SQLAlchemy address of the history; empty = a SQLite file in `cache`
    public_host : host name that links are built from ("" = the address the visitor came by)
    local_folders : whether visitors may name a folder of this computer as a model: "on", "off", or "auto", which is on
        where nobody but this computer reaches the server (lab/local_folders.py)
    threads : cores that one computation takes; 0 = all of them
    workers : jobs that run side by side
    running_per_visitor, waiting_per_visitor : jobs one visitor may hold
    queue_length : jobs that may wait, all visitors together
    abandon_after : seconds without a sign of life after which a job is closed
    result_entries, result_seconds : how many finished results are kept, and for how long
    model_entries, data_entries : how many models and data sets stay loaded
    own_models, own_models_in_all : how many models a visitor has made are kept, each visitor's and all together
    upload_entries, upload_seconds : how many uploaded pictures are kept in memory, and for how long
    max_upload_bytes, max_side : size of an uploaded file, and pixels along its longer side
    max_batch : pictures one run may attack at once
    max_scored : test images one run may score
    live_every, live_n : seconds between two scores of a running defense, and on how many images
    control_n : test images a page's run is scored on unless it says otherwise
    """

    cache: str = "~/.cache/perturb-lab"
    database_url: str = ""
    public_host: str = ""
    local_folders: str = "auto"
    threads: int = 0
    workers: int = 1
    running_per_visitor: int = 1
    waiting_per_visitor: int = 1
    queue_length: int = 40
    abandon_after: float = 60.0
    result_entries: int = 64
    result_seconds: float = 6 * 3600.0
    model_entries: int = 12
    data_entries: int = 8
    own_models: int = 6
    own_models_in_all: int = 60
    upload_entries: int = 64
    upload_seconds: float = 2 * 3600.0
    max_upload_bytes: int = 5 * 1024 * 1024
    max_side: int = 4096
    max_batch: int = 64
    max_scored: int = 10_000
    live_every: float = 2.0
    live_n: int = 400
    control_n: int = 1000

    @property
    def cache_folder(self) -> Path:
        """The cache folder, created when first asked for."""
        folder = Path(self.cache).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def history_url(self) -> str:
        """The address of the history: `database_url`, or a SQLite file in the cache folder."""
        return self.database_url or f"sqlite:///{self.cache_folder / 'history.sqlite'}"


CHOICES = {"local_folders": ("auto", "on", "off")}
HOST_NAMES = {"database_url": "DATABASE_URL", "public_host": "SPACE_HOST", "threads": "CPU_CORES"}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings with what `environment` overrides; ValueError names a variable whose value cannot be."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        names = [f"PERTURB_{field.name.upper()}", HOST_NAMES.get(field.name, "")]
        text = next((environment[name] for name in names if environment.get(name)), None)
        if text is None:
            continue
        kind: Any = type(field.default)
        try:
            values[field.name] = kind(text)
        except ValueError:
            raise ValueError(f"{names[0]} = {text!r} must be a number.") from None
        choices = CHOICES.get(field.name)
        if choices and text not in choices:
            raise ValueError(f"{names[0]} = {text!r} must be one of {', '.join(choices)}.")
    return Settings(**values)


settings = read_settings(os.environ)
