"""Downloads in the background: shared, told, and never under the compute lock."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.data import load_data, transfers
from core.runs import Progress, Run
from lab import downloads, loading
from lab.lru_cache import LRUCache
from lab.results import Result
from lab.running.compute_lock import compute_lock
from lab.running.curve import Curve
from lab.running.pool import JobPool
from models import ModelError
from tests.core.data.test_hub import write
from tests.models.conftest import tiny
from tests.support.fakes import Clock, FakeRecipe
from tests.support.hubs import local_hub
from ui.widgets.images import encoded


def test_two_who_want_the_same_share_it_and_a_later_one_starts_anew() -> None:
    go_on, made = threading.Event(), []

    def make() -> str:
        assert go_on.wait(10)
        made.append(1)
        return "here"

    first, second = downloads.start("a", make), downloads.start("a", make)
    assert first is second and not first.done()
    go_on.set()
    assert first.result(10) == "here" and made == [1]
    assert downloads.start("a", make).result(10) == "here" and made == [1, 1]


def test_what_goes_wrong_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise ModelError("no such model")

    with pytest.raises(ModelError, match="no such model"):
        downloads.start("b", fail).result(10)


def test_the_largest_file_of_a_name_is_told() -> None:
    with transfers.noted("owner/tiny", "config.json", 10), transfers.noted("owner/tiny", "model.safetensors", 99):
        found = downloads.on_the_way("zoo:scenes-clean", "hf:owner/tiny@main")
        assert found is not None and (found.path, found.total) == ("model.safetensors", 99)
        assert downloads.on_the_way("scenes", "hf:owner/other", "nowhere/at all", 3) is None
    with transfers.noted("uoft-cs/cifar10", "test.parquet", 5):
        assert downloads.on_the_way("cifar10") is not None
    assert downloads.on_the_way("cifar10") is None


def test_a_download_holds_neither_the_compute_lock_nor_another_model(tmp_path: Path) -> None:
    import models

    models.save(tiny(), tmp_path / "hub" / "models" / "owner" / "slow", perturb={"data": "scenes"})
    with local_hub(tmp_path / "hub", tmp_path / "home") as server:
        server.slow["model.safetensors"] = 1.5
        coming = downloads.start("slow", lambda: loading.classifier("hf:owner/slow"))
        Clock.until(lambda: transfers.running("owner/slow"))
        with compute_lock:
            assert not coming.done() and not loading.at_hand("hf:owner/slow")
        assert loading.classifier("zoo:scenes-clean") is not None and not coming.done()
        assert coming.result(20).class_names == ("ant", "bee", "cat") and loading.at_hand("hf:owner/slow")
    loading.classifiers.clear()


@dataclass
class Learns(FakeRecipe):
    """A run whose first step loads training pictures."""

    data: str = "hf:a/slow"
    model: str = "zoo:scenes-clean"

    def run(self, curve: Curve | None = None) -> Run[Result]:
        yield Progress("load", 1, 2)
        load_data(self.data, "train")
        yield Progress("load", 2, 2)
        return Result(self)  # type: ignore[arg-type]


def test_stop_ends_a_download_and_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    noise = [encoded(np.random.default_rng(i).integers(0, 256, (300, 300, 3), np.uint8)) for i in range(12)]
    for part in ("train", "test"):
        write(tmp_path / "hub", "a/slow", f"{part}.parquet", [i % 3 for i in range(12)], noise)
    pool = JobPool(finished=None, store=LRUCache(4))
    try:
        with local_hub(tmp_path / "hub", tmp_path / "home") as server:
            server.slow["train.parquet"] = 8.0
            job = pool.submit(Learns("learns"), "ada")  # type: ignore[arg-type]
            Clock.until(lambda: any(each.done for each in transfers.running("a/slow")))
            start = time.monotonic()
            job.stop("ada")
            Clock.until(lambda: job.ended)
            assert job.state == "stopped" and not job.error and time.monotonic() - start < 5
            assert not transfers.running("a/slow")
            assert not list((tmp_path / "home").glob("**/snapshots/**/train.parquet"))
            server.slow.clear()
            assert len(load_data("hf:a/slow", "train")) == 11
    finally:
        pool.shutdown()
