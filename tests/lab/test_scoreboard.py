"""The scoreboard: which runs fill which cell, mean and spread by hand, ranks and intervals by hand, and sweeps."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from core.defenses import DEFENSES, TSBD, FineTuning
from lab import sweep
from lab.recipes import Recipe
from lab.scoreboard import Board, Cell, as_selected, board, data_sets, fill, peeks, standings, t_interval

RECIPES = Path(__file__).parents[2] / "recipes"
BOARD = Board("scenes", {"a": "zoo:scenes-a", "b": "zoo:scenes-b"}, {"FineTuning": FineTuning(), "TSBD": TSBD()}, 100)


def row(recipe: Recipe, der: float = 0.9, asr: float = 0.1, acc: float = 0.8, **more: Any) -> dict[str, Any]:
    figures = {"before/acc": 0.9, "before/asr": 1.0, "before/ra": 0.0, "after/acc": acc, "after/asr": asr,
               "after/ra": 0.5, "der": der}  # fmt: skip
    return {"key": recipe.to_json(), "recipe": recipe.to_dict(), "figures": figures, "versions": {}} | more


def cell(*ders: float) -> Cell:
    recipe = BOARD.recipe("TSBD", "a")
    return Cell({seed: row(recipe, der) for seed, der in enumerate(ders)})


def test_a_run_fills_the_cell_whose_recipe_it_is_and_no_other() -> None:
    own = BOARD.recipe("TSBD", "a", 3)
    strangers = [
        own.replace(method=TSBD(steps=10)),
        own.replace(method=TSBD(selection="oracle")),
        own.replace(model="zoo:scenes-c"),
        own.replace(inputs={"n": 99}),
        own.replace(data="cifar10"),
        own.replace(inputs={"n": 100, "target": 2}),
    ]
    cells = fill(BOARD, map(row, [own, *strangers, BOARD.recipe("TSBD", "a", 0)]))
    assert list(cells) == [("TSBD", "a")] and list(cells["TSBD", "a"].rows) == [0, 3]


def test_a_run_without_a_trigger_fills_nothing_and_the_later_of_two_counts() -> None:
    recipe = BOARD.recipe("FineTuning", "b")
    untold = row(recipe) | {"figures": {"after/acc": 0.9}}
    assert not fill(BOARD, [untold])
    assert fill(BOARD, [row(recipe, 0.6), row(recipe, 0.7)])["FineTuning", "b"].values("der") == [0.7]


def test_mean_spread_and_next_seed_by_hand() -> None:
    runs = {seed: row(BOARD.recipe("TSBD", "a", seed), asr=asr) for seed, asr in ((0, 0.1), (1, 0.2), (3, 0.6))}
    several = Cell(runs)
    assert several.mean("asr") == pytest.approx(0.3) and several.spread("asr") == pytest.approx(math.sqrt(0.07))
    assert several.mean("acc", "before") == 0.9 and several.next_seed == 2
    assert cell(0.5).spread("der") is None and Cell({}).next_seed == 0


def test_oracle_and_clean_runs_never_stand_in_one_table() -> None:
    peeking = Board(BOARD.data, BOARD.attacks, {"FineTuning": FineTuning(), "TSBD": TSBD(selection="oracle")}, 100)
    rows = [row(table.recipe("TSBD", "a"), der) for table, der in ((BOARD, 0.7), (peeking, 0.8))]
    assert fill(BOARD, rows)["TSBD", "a"].values("der") == [0.7]
    assert fill(peeking, rows)["TSBD", "a"].values("der") == [0.8]
    chooses_nothing = row(BOARD.recipe("FineTuning", "a"))
    assert all(("FineTuning", "a") in fill(table, [chooses_nothing]) for table in (BOARD, peeking))


def test_a_defense_peeks_only_where_it_can() -> None:
    assert peeks(TSBD) and as_selected(TSBD, "oracle") == TSBD(selection="oracle")
    assert not peeks(FineTuning) and as_selected(FineTuning, "oracle") == FineTuning()
    assert all(as_selected(cls, "clean") == cls() for cls in DEFENSES)


def test_ranks_by_hand() -> None:
    cells = {("A", "x"): cell(0.9, 0.7), ("A", "y"): cell(0.5), ("B", "x"): cell(0.8), ("B", "y"): cell(0.9),
             ("C", "x"): cell(0.6), ("C", "y"): cell(0.7)}  # fmt: skip
    found = {one.defense: one for one in standings(cells)}
    assert [one.defense for one in standings(cells)] == ["B", "A", "C"]
    assert (found["A"].rank, found["B"].rank, found["C"].rank) == (2.25, 1.25, 2.5)  # x: A and B share 1 and 2
    assert found["A"].der == pytest.approx(0.65) and found["A"].runs == 3 and found["A"].attacks == 2
    assert found["A"].lost == pytest.approx(0.1) and found["A"].asr == pytest.approx(0.1)


def test_a_defense_that_missed_an_attack_has_no_rank_and_one_stray_run_takes_nobodys() -> None:
    cells = {("A", "x"): cell(0.9), ("A", "y"): cell(0.9), ("B", "x"): cell(0.8), ("B", "y"): cell(0.8),
             ("C", "x"): cell(0.99), ("A", "z"): cell(0.6)}  # fmt: skip
    found = {one.defense: one for one in standings(cells)}
    assert (found["A"].rank, found["B"].rank, found["C"].rank) == (1.0, 2.0, None)
    assert standings(cells)[-1].defense == "C" and found["C"].interval is None and not standings({})


def test_the_t_interval_by_hand() -> None:
    low, high = t_interval([0.7, 0.8, 0.9]) or (0, 0)
    half = 4.30265 * 0.1 / math.sqrt(3)  # Student's t of two degrees of freedom at 97.5 %
    assert (low, high) == pytest.approx((0.8 - half, min(1.0, 0.8 + half)))
    assert t_interval([0.9]) is None and t_interval([0.0, 1.0]) == (0.0, 1.0) and t_interval([0.5, 0.5]) == (0.5, 0.5)


def test_the_board_of_a_data_set_holds_every_shipped_attack_and_every_repair() -> None:
    if "scenes" not in data_sets():
        pytest.skip("needs the shipped models of Scenes (make zoo)")
    scenes = board("scenes", 50)
    assert "badnets" in scenes.attacks and "clean" not in scenes.attacks
    assert list(scenes.defenses) == [cls.__name__ for cls in DEFENSES]
    assert scenes.recipe("TSBD", "badnets", 2) == Recipe(TSBD(), "zoo:scenes-badnets", "scenes", {"n": 50}, 2)
    with pytest.raises(ValueError, match="not one of clean, oracle"):
        board("scenes", 50, "fixed")


@pytest.mark.parametrize("file", sorted(RECIPES.glob("scoreboard-*.json")), ids=lambda file: file.stem)
def test_the_sweep_files_fill_their_board(file: Path) -> None:
    """Each recipe of a file is a cell's, one seed of everything comes before the next, and none is left out."""
    name = file.stem.removeprefix("scoreboard-").removesuffix("-oracle")
    if name not in data_sets():
        pytest.skip(f"needs the shipped models of {name} (make zoo)")
    recipes = sweep.recipes_of(file.read_text())
    whole = board(name, 1000, "oracle" if file.stem.endswith("-oracle") else "clean")
    cells = fill(whole, map(row, recipes))
    due = [d for d, m in whole.defenses.items() if whole.n and (not file.stem.endswith("-oracle") or peeks(type(m)))]
    assert set(cells) == {(defense, attack) for defense in due for attack in whole.attacks}
    assert all(list(one.rows) == [0, 1, 2] for one in cells.values())
    assert [recipe.seed for recipe in recipes] == sorted(recipe.seed for recipe in recipes)
