"""Settings: the environment over the defaults, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lab import VERSION
from lab.settings import Settings, read_settings


def test_the_environment_wins_over_the_defaults() -> None:
    found = read_settings(
        {
            "PERTURB_QUEUE_LENGTH": "7",
            "PERTURB_LIVE_EVERY": "0.5",
            "DATABASE_URL": "postgresql://db/lab",
            "SPACE_HOST": "a.hf.space",
        }
    )
    assert (found.queue_length, found.live_every, found.public_host) == (7, 0.5, "a.hf.space")
    assert found.history_url == "postgresql://db/lab"
    assert read_settings({}) == Settings()


def test_a_value_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="PERTURB_WORKERS = 'many' must be a number"):
        read_settings({"PERTURB_WORKERS": "many"})


def test_a_value_that_is_none_of_the_choices_is_named() -> None:
    assert read_settings({"PERTURB_LOCAL_FOLDERS": "off"}).local_folders == "off"
    with pytest.raises(ValueError, match="PERTURB_LOCAL_FOLDERS = 'yes' must be one of auto, on, off"):
        read_settings({"PERTURB_LOCAL_FOLDERS": "yes"})


def test_the_history_lies_in_the_cache_folder(tmp_path: Path) -> None:
    found = Settings(cache=str(tmp_path / "lab"))
    assert found.history_url == f"sqlite:///{tmp_path / 'lab' / 'history.sqlite'}" and (tmp_path / "lab").is_dir()


def test_the_version_is_the_one_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project.get("version", VERSION) == VERSION
