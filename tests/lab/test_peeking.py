"""Peeking beside honesty: over the cells that both rules have, and not at all where those are too few."""

from __future__ import annotations

from typing import Any

from core.defenses import NAD, TSBD, FineTuning
from lab.scoreboard import Board, Cell, Cells, order, shared

ATTACKS = {"a": "zoo:scenes-a", "b": "zoo:scenes-b"}
HONEST = Board("scenes", ATTACKS, {"FineTuning": FineTuning(), "NAD": NAD(), "TSBD": TSBD()}, 100)
PEEKING = Board("scenes", ATTACKS, dict(HONEST.defenses) | {"TSBD": TSBD(selection="oracle")}, 100)


def cells(board: Board, attacks: str = "ab", seeds: tuple[int, ...] = (0,), **ders: float) -> Cells:
    def run(defense: str, attack: str, seed: int) -> dict[str, Any]:
        figures = {f"{moment}/{name}": 0.9 for moment in ("before", "after") for name in ("acc", "asr", "ra")}
        recipe = board.recipe(defense, attack, seed).to_dict()
        return {"recipe": recipe, "figures": figures | {"der": ders[defense]}}

    return {
        (defense, attack): Cell({seed: run(defense, attack, seed) for seed in seeds})
        for defense in ders for attack in attacks
    }  # fmt: skip


def test_a_defense_that_moves_is_told_with_both_places() -> None:
    clean = cells(HONEST, FineTuning=0.9, NAD=0.8, TSBD=0.7)
    found = order(HONEST, PEEKING, clean, cells(PEEKING, FineTuning=0.9, NAD=0.8, TSBD=0.95))
    assert found.outcome == "changes" and "TSBD from 3 to 1" in found.text and "NAD from 2 to 3" in found.text
    assert "3 defenses, 1 of which peek, over all 6 cells" in found.text and "missing" not in found.text


def test_an_order_that_stays_is_not_said_to_change() -> None:
    clean = cells(HONEST, FineTuning=0.9, NAD=0.8, TSBD=0.7)
    found = order(HONEST, PEEKING, clean, cells(PEEKING, FineTuning=0.9, NAD=0.8, TSBD=0.75))
    assert found.outcome == "stays" and "keeps its place" in found.text and "changes" not in found.text


def test_missing_cells_of_the_peeking_rule_are_no_change_of_order() -> None:
    """Scenes: the defenses that peek had no oracle run at all, and the order was said to change."""
    clean = cells(HONEST, FineTuning=0.7, NAD=0.8, TSBD=0.9)
    found = order(HONEST, PEEKING, clean, cells(HONEST, FineTuning=0.7, NAD=0.8))
    assert found.outcome == "not yet"
    assert "2 of 6 cells are missing" in found.text and "none of the 1 defenses that can peek" in found.text


def test_only_cells_and_seeds_that_both_have_are_compared() -> None:
    clean = cells(HONEST, seeds=(0, 1), FineTuning=0.9, TSBD=0.7) | cells(HONEST, "a", seeds=(0, 1), NAD=0.8)
    oracle = cells(PEEKING, FineTuning=0.9, TSBD=0.95) | cells(PEEKING, "b", NAD=0.8)
    first, second = shared(clean, oracle)
    assert first.keys() == second.keys() == {(name, attack) for name in ("FineTuning", "TSBD") for attack in "ab"}
    assert all(list(cell.rows) == [0] for table in (first, second) for cell in table.values())
    found = order(HONEST, PEEKING, clean, oracle)
    assert found.outcome == "changes" and "2 of 6 cells are missing" in found.text and "NAD" not in found.text


def test_nothing_run_cannot_be_compared() -> None:
    assert order(HONEST, PEEKING, {}, {}).outcome == "not yet"
