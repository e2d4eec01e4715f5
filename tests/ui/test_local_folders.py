"""A link to a folder of the server: what a visitor is told does not depend on what lies there."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st

import app
import models
from core.data.shapes import SHAPES
from lab import local_folders
from lab.settings import Settings
from tests.ui.conftest import fine

LINKS = {
    "defend": ("defend.py", {"model": "{ref}"}),
    "triggers": ("triggers.py", {"model": "{ref}"}),
    "neurons": ("neurons.py", {"model": "{ref}"}),
    "judge": ("regions.py", {"method": "Regional", "judge": "{ref}", "run": "1"}),
    "recipe": ("compare.py", {"recipe": json.dumps({"method": {"method": "TSBD"}, "model": "{ref}"})}),
}


@pytest.fixture
def listens(monkeypatch: pytest.MonkeyPatch):
    """`listens("0.0.0.0")`: app.py is served there; None: on all interfaces, which is Streamlit's default."""

    def start(address: str | None) -> None:
        monkeypatch.setattr(local_folders, "_allowed", True)
        monkeypatch.setattr(local_folders, "settings", Settings())
        monkeypatch.setattr(app, "warm_up", lambda: None)
        options = {"server.address": address, "browser.serverAddress": "localhost"}
        with monkeypatch.context() as patch:
            patch.setattr(st, "get_option", options.__getitem__)

            async def served() -> None:
                async with app.lifespan(app.app):
                    pass

            with ThreadPoolExecutor(1) as thread:  # the browser's tests leave a running loop in this one
                thread.submit(asyncio.run, served()).result()

    return start


def told(visit, page: str, query: dict[str, str], ref: str) -> str:
    """Everything in words on the page that the link opens, without the name that the visitor gave."""
    shown = visit(page, **{name: text.replace("{ref}", ref) for name, text in query.items()})
    assert not shown.exception
    blocks = [*shown.error, *shown.warning, *shown.info, *shown.caption, *shown.markdown]
    assert "opens no folders" in " ".join(block.value for block in [*shown.error, *shown.warning])
    return "\n".join(block.value for block in blocks).replace(ref, "REF")


@pytest.mark.parametrize("case", LINKS)
def test_a_link_to_a_folder_is_answered_alike_whatever_is_there(visit, listens, tmp_path: Path, case: str) -> None:
    listens(None)
    page, query = LINKS[case]
    empty, full = tmp_path / "aaaaaaa", tmp_path / "bbbbbbb"
    empty.mkdir()
    models.save(models.create("preact_resnet18", tuple(SHAPES), width=4), full, perturb={"data": "scenes"})
    refs = [str(tmp_path / "nothing"), str(empty), str(full), "/etc"]
    said = {told(visit, page, query, ref).encode() for ref in refs}
    assert len(said) == 1


def test_a_server_on_localhost_opens_a_folder(visit, listens, tmp_path: Path) -> None:
    listens("localhost")
    models.save(models.create("preact_resnet18", tuple(SHAPES), width=4), tmp_path / "mine", perturb={"data": "scenes"})
    fine(visit("triggers.py", model=str(tmp_path / "mine"), data="scenes"))
