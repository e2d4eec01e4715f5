"""bench.mixing and bench.masks: a row by hand, and the sampler that ours is timed against."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from bench import masks, mixing
from core.training import FMix
from lab.tables import stored_table


def test_a_net_that_is_missing_says_so_and_further_seeds_stand_beside_the_first(monkeypatch) -> None:
    assert mixing.row("unmixed", None, []) == {"net": "cifar10-unmixed", "seeds": "none: not trained yet"}
    figures = {"ece": 0.1, "overconfidence": 0.02, "corrupted": 0.6, "occluded": 0.7, "robust": 0.3}
    found: Any = SimpleNamespace(figures=figures)
    card = SimpleNamespace(scores={"test": {"acc": 0.9}, "heldout": {"acc": 0.91}})
    monkeypatch.setattr(mixing, "shipped", lambda ref: card)
    row = mixing.row("cutmix", found, [{"net": "cutmix", "seed": 1, "test": 0.8, "heldout": 0.82}, {"net": "fmix"}])
    assert row["ACC"] == [0.9, 0.8] and row["ACC held out"] == [0.91, 0.82] and row["seeds"] == "0, 1"
    assert row["ECE"] == 0.1 and row["PGD"] == 0.3


def test_what_ours_is_timed_against_draws_such_masks() -> None:
    rng = np.random.default_rng(0)
    made = torch.from_numpy(np.stack([masks.one_mask(rng) for _ in range(400)]))
    assert set(made.unique().tolist()) <= {0.0, 1.0}
    assert made.mean().item() == pytest.approx(0.5, abs=0.06), "weights are uniform"
    edges = (made[:, :, 1:] != made[:, :, :-1]).float().mean().item()
    assert edges == pytest.approx(0.04, abs=0.015)


def test_masks_are_drawn_in_batches_and_timed(monkeypatch) -> None:
    sizes = []
    monkeypatch.setattr(FMix, "masks", lambda self, lam, *_: sizes.append(len(lam)))
    masks.drawn(FMix(), torch.rand(10), 4)()
    masks.drawn(FMix(), torch.rand(10), None)()
    assert sizes == [4, 4, 2, 10]
    assert len(masks.microseconds(lambda: None, 10)) == masks.TIMES


def test_the_stored_table_has_the_baseline_beside_every_mixer() -> None:
    found = stored_table("fmix")
    assert found is not None
    assert [row["net"] for row in found["rows"]] == [f"cifar10-{net}" for net in mixing.NETS]
    assert all(0 < row["PGD"] < min(row["ACC held out"]) for row in found["rows"])
