"""bench.scoreboard and bench.neurons: their tables from runs made up by hand."""

from __future__ import annotations

import json
from statistics import fmean, stdev
from typing import Any

import pytest

from bench import neurons
from bench import scoreboard as bench
from core.defenses import DEFENSES
from lab import run_log, scoreboard, tables
from lab.channel_rankings import MAKERS, ranked
from lab.recipes import Recipe

BOARD = scoreboard.only(scoreboard.board("cifar10", bench.PICTURES), bench.ATTACKS)


def run(recipe: Recipe, **figures: float) -> dict[str, Any]:
    counts = dict.fromkeys(figures, 1000) | {"after/asr": 900}
    return {"key": recipe.to_json(), "recipe": recipe.to_dict(), "figures": figures, "counts": counts, "versions": {}}


def cell(defense: str, attack: str, seed: int = 0, *, asr: float = 0.1, acc: float = 0.8) -> dict[str, Any]:
    figures = {"before/acc": 0.9, "before/asr": 1.0, "after/acc": acc, "after/asr": asr, "after/ra": 0.5}
    return run(BOARD.recipe(defense, attack, seed), **figures, der=(1 - asr + acc) / 2)


def full() -> list[dict[str, Any]]:
    """Each defense on each attack; the later in the list, the worse."""
    return [
        cell(defense.__name__, attack, asr=0.05 * place)
        for place, defense in enumerate(DEFENSES) for attack in bench.ATTACKS
    ]  # fmt: skip


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """Results in a folder of their own; the stored runs are those that a test puts in."""
    rows: list[dict[str, Any]] = []
    monkeypatch.setattr("lab.tables.TABLES", tmp_path)
    monkeypatch.setattr(run_log, "SHIPPED", tmp_path / "cells")
    monkeypatch.setattr(run_log, "stored", lambda: rows)
    return rows


def test_the_eight_attacks_have_a_shipped_model_on_both_data_sets():
    for data in ("cifar10", "scenes"):
        assert set(scoreboard.only(scoreboard.board(data, 1), bench.ATTACKS).attacks) == set(bench.ATTACKS)


def test_only_keeps_the_board_s_order_and_its_way_to_run_a_defense():
    board = scoreboard.board("scenes", 7, "oracle")
    few = scoreboard.only(board, ["sig", "badnets"], ["TSBD", "ANP"])
    assert list(few.attacks) == ["badnets", "sig"] and list(few.defenses) == ["ANP", "TSBD"]
    assert few.recipe("TSBD", "sig", 2) == board.recipe("TSBD", "sig", 2)


def test_each_seed_has_its_own_mean_over_the_attacks():
    rows = [cell("TSBD", "badnets", seed, asr=asr) for seed, asr in enumerate((0.1, 0.2))]
    rows += [cell("TSBD", "sig", seed, asr=asr, acc=0.7) for seed, asr in enumerate((0.3, 0.6, 0.9))]
    [line] = scoreboard.rows(scoreboard.fill(BOARD, rows))
    assert line["ASR"] == pytest.approx([0.2, 0.4])  # the third seed has met one attack only
    assert line["ACC lost"] == pytest.approx([0.15, 0.15])
    assert (line["attacks"], line["runs"]) == (2, 5)


def test_cells_that_share_no_seed_are_not_compared():
    rows = [cell("TSBD", "badnets", 0), cell("ANP", "badnets", 1), cell("ANP", "badnets", 2)]
    assert scoreboard.on_shared_seeds(scoreboard.fill(BOARD, rows)) == {}
    same = scoreboard.on_shared_seeds(scoreboard.fill(BOARD, [*rows, cell("TSBD", "badnets", 2)]))
    assert [list(one.rows) for one in same.values()] == [[2], [2]]


def test_a_board_with_a_hole_is_not_published(kept):
    kept += full()[:-1]
    with pytest.raises(SystemExit, match="No board is complete"):
        bench.main()


def test_a_seed_that_one_cell_lacks_counts_for_none(kept, tmp_path):
    kept += full()
    kept += [cell(defense.__name__, attack, 1) for defense in DEFENSES for attack in bench.ATTACKS][1:]
    bench.main()
    found = json.loads((tmp_path / "scoreboard.json").read_text())
    assert found["seeds"] == [0] and all(len(row["ASR"]) == 1 and row["runs"] == 8 for row in found["rows"])


def test_a_full_board_is_published_by_rank_and_the_one_that_peeks_waits(kept, tmp_path):
    kept += full()
    bench.main()
    found = json.loads((tmp_path / "scoreboard.json").read_text())
    assert [row["defense"] for row in found["rows"]] == [cls.__name__ for cls in DEFENSES]
    assert {(row["data"], row["chosen by"]) for row in found["rows"]} == {("cifar10", "clean")}
    assert [row["rank"] for row in found["rows"]] == list(range(1, len(DEFENSES) + 1))
    assert "1,000 test images" in found["n"] and "900" in found["n"] and found["seeds"] == [0]
    assert f"{100 * found['rows'][2]['ASR'][0]:.1f} %" in tables.section(found)


def test_rankings_stand_beside_what_their_repairs_leave(kept, tmp_path):
    seeds, shares = 2, iter(range(1000))
    kept += [cell("ANP", "sig", seed, asr=asr) for seed, asr in enumerate((0.2, 0.4))]
    for seed in range(seeds):
        for model in BOARD.attacks.values():
            for kind in MAKERS:
                kept.append(
                    run(ranked(kind, model, "cifar10", seed=seed), **{f"overlap/{kind}/0.1": next(shares) / 1000})
                )
    rows = {Recipe.from_dict(row["recipe"]): row for row in kept}
    neurons.publish(BOARD, rows, scoreboard.fill(BOARD, kept), seeds)
    found = json.loads((tmp_path / "neurons.json").read_text())
    assert [row["attack"] for row in found["rows"]] == list(BOARD.attacks)
    line = found["rows"][list(BOARD.attacks).index("sig")]
    place = 4 * list(BOARD.attacks).index("sig") + list(MAKERS).index("anp")
    assert line["ANP finds"] == [place / 1000, (place + 32) / 1000]
    assert line["ANP leaves"] == [0.2, 0.4] and line["TSBD leaves"] is None
    told = f"{100 * fmean(line['ANP finds']):.1f} ± {100 * stdev(line['ANP finds']):.1f} %"
    assert told in tables.section(found)
