"""What one table of the scoreboard compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import models
from core.data.modes import ALL_TO_ALL
from core.defenses import DEFENSES
from core.knobs import Method, knobs_of
from lab.recipes import Recipe

SELECTIONS = ("clean", "oracle")


@dataclass(frozen=True)
class Board:
    """What one table compares: the models of one data set by attack, defenses, and how those choose.

    attacks : reference of the model by attack, such as {"badnets": "zoo:scenes-badnets"}
    defenses : defenses by name, as they run on this board
    n : test images each run is scored on, at most
    """

    data: str
    attacks: Mapping[str, str]
    defenses: Mapping[str, Method]
    n: int

    def recipe(self, defense: str, attack: str, seed: int = 0) -> Recipe:
        """The run that a cell holds."""
        return Recipe(self.defenses[defense], self.attacks[attack], self.data, {"n": self.n}, seed)


def board(data: str, n: int, selection: str = "clean") -> Board:
    """The board of a data set: every shipped model with a backdoor to one class, or to any, and every repair.

    All-to-all models are left out: their attack is limited by the model's own accuracy, so that it does not compare.
    """
    if selection not in SELECTIONS:
        raise ValueError(f"selection = {selection!r} is not one of {', '.join(SELECTIONS)}.")
    cards = [card for card in models.available() if card.backdoored and card.ref.startswith(f"zoo:{data}-")]
    attacks = {card.ref.removeprefix(f"zoo:{data}-"): card.ref for card in cards if not _all_to_all(card.recipe)}
    return Board(data, attacks, {cls.__name__: as_selected(cls, selection) for cls in DEFENSES}, n)


def data_sets() -> list[str]:
    """Data sets with shipped backdoored models, Scenes first."""
    named = {card.data for card in models.available() if card.backdoored and card.ref.startswith(f"zoo:{card.data}-")}
    return sorted(named, key=lambda name: (name != "scenes", name))


def _all_to_all(training: Mapping[str, Any]) -> bool:
    poison = training.get("method", {}).get("poison") or {}
    return poison.get("mode") == ALL_TO_ALL


def as_selected(cls: type[Method], selection: str) -> Method:
    """The defense as the lab presets it; with "oracle", where it has that choice, peeking."""
    chosen: dict[str, Any] = {"selection": "oracle"} if selection == "oracle" and peeks(cls) else {}
    return cls(**chosen)


def peeks(cls: type[Method]) -> bool:
    """Whether a defense has a threshold that could be chosen by peeking."""
    return any(k.name == "selection" and "oracle" in (k.choices or ()) for k in knobs_of(cls))


def only(board: Board, attacks: Iterable[str], defenses: Iterable[str] | None = None) -> Board:
    """`board` with these attacks alone, and with these defenses alone where they are named, in the board's order."""
    met, kept = set(attacks), set(board.defenses if defenses is None else defenses)
    return Board(
        board.data,
        {attack: model for attack, model in board.attacks.items() if attack in met},
        {name: defense for name, defense in board.defenses.items() if name in kept},
        board.n,
    )
