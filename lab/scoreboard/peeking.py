"""What peeking at the attack changes in the order of the defenses, over the cells that both rules have."""

from __future__ import annotations

from lab.kinds.kind import Conclusion
from lab.scoreboard.boards import Board
from lab.scoreboard.cells import Cell, Cells, on_shared_seeds
from lab.scoreboard.standings import Standing, standings


def shared(clean: Cells, oracle: Cells) -> tuple[Cells, Cells]:
    """Both tables with only the cells that both have, and those with only the seeds that all of them have."""
    seeds = {place: sorted(clean[place].rows.keys() & oracle[place].rows.keys()) for place in clean if place in oracle}
    first, second = (
        {place: Cell({seed: cells[place].rows[seed] for seed in known}) for place, known in seeds.items() if known}
        for cells in (clean, oracle)
    )
    return on_shared_seeds(first) or first, on_shared_seeds(second) or second


def order(honest: Board, peeking: Board, clean: Cells, oracle: Cells) -> Conclusion:
    """Whether the defenses have the same order by rank under both rules: "changes", "stays", or "not yet".

    honest, clean : the board on which thresholds are chosen by clean images, and its cells
    peeking, oracle : the same where they are chosen by the attack's success
    """
    both = shared(clean, oracle)
    ranked = [[one for one in standings(cells) if one.rank is not None] for cells in both]
    able = [name for name, defense in honest.defenses.items() if defense != peeking.defenses[name]]
    compared = [one.defense for one in ranked[0]]
    peek = [name for name in able if name in compared]
    total, known = len(honest.attacks) * len(honest.defenses), len(both[0])
    lack = f"{total - known} of {total} cells are missing under one of the two rules"
    if len(compared) < 2 or not peek:
        who = f"{len(peek) or 'none'} of the {len(able)} defenses that can peek can be compared"
        return Conclusion("not yet", f"This cannot be answered yet: {lack}, and {who}.")
    told = f"Compared are {len(compared)} defenses, {len(peek)} of which peek"
    told += f"; {lack}." if known < total else f", over all {total} cells."
    first, second = (places(table) for table in ranked)
    moves = [f"{name} from {first[name]} to {second[name]}" for name in compared if first[name] != second[name]]
    if moves:
        return Conclusion("changes", f"{told} With peeking the order changes: {', '.join(moves)}.")
    return Conclusion("stays", f"{told} With peeking each of them keeps its place.")


def places(table: list[Standing]) -> dict[str, int]:
    """The place of each ranked defense in the order, 1 for the best; those of equal rank share one."""
    ranks = {one.defense: one.rank for one in table if one.rank is not None}
    return {name: 1 + sum(other < rank for other in ranks.values()) for name, rank in ranks.items()}
