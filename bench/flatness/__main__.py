"""Robust flatness of every plain and robust net of the zoo, as in Stutz, Hein, Schiele (ICCV 2021).

    python -m bench.flatness [NET …] [--n 1000] [--cells FOLDER]
    python -m bench.flatness --list
    python -m bench.flatness --publish [--cells FOLDER]

Measures the nets (default: all without a backdoor on CIFAR-10 and Scenes) and writes the table. With names it measures
those alone and writes no table, so that several processes can share a machine:

    python -m bench.flatness --list | xargs -P 4 -n 1 python -m bench.flatness

Each net is a file in FOLDER, by default bench/cells/flatness, and is not measured again until its weights or the
settings change. `--publish` measures nothing and writes lab/stored/tables/flatness.json and the slices of the
landscapes. Measuring needs no more than core, models and the data; CIFAR-10 comes from the Hugging Face Hub.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench import kept
from bench.flatness.measure import PICTURES, Cell, family, file_of, line, measured, settings


def main() -> None:
    arguments = parser().parse_args()
    cards, folder = family(), arguments.cells
    if arguments.list:
        print("\n".join(cards))
        return
    if unknown := [name for name in arguments.nets if name not in cards]:
        raise SystemExit(f"{', '.join(unknown)}: no such net; --list prints those that there are.")
    if not arguments.publish:
        for name in arguments.nets or cards:
            measure(name, folder, arguments.n, arguments.seed)
    if not arguments.nets:
        from bench.flatness.publish import publish  # names the versions of packages that measuring does not need

        publish([cell for name, card in cards.items() if (cell := known(file_of(folder, name), card.sha)) is not None])


def measure(name: str, folder: Path, n: int, seed: int) -> None:
    """Measure a net, unless its file holds these very weights and settings."""
    card, asked, file = family()[name], json.loads(json.dumps(settings(n, seed))), file_of(folder, name)
    cell = known(file, card.sha)
    if cell is None or any(cell[key] != value for key, value in asked.items()):
        found = measured(card.ref, card.data, n, seed)
        cell = {"net": name, "sha": card.sha, "data": card.data, **asked} | found
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(cell) + "\n")
    print(line(name, cell), flush=True)


def known(file: Path, sha: str) -> Cell | None:
    """The cell of a file; None where there is none, or of other weights."""
    cell = json.loads(file.read_text()) if file.is_file() else None
    return cell if cell is not None and cell["sha"] == sha else None


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("nets", nargs="*", metavar="NET", help="only these nets, and no table")
    made.add_argument("--n", type=int, default=PICTURES, help=f"pictures of each split (default {PICTURES:,})")
    made.add_argument("--seed", type=int, default=0, help="draws the weights and the attacks' starts (default 0)")
    made.add_argument("--cells", type=Path, default=kept.FOLDER / "flatness", help="where the nets' files lie")
    other = made.add_mutually_exclusive_group()
    other.add_argument("--list", action="store_true", help="print the nets' names")
    other.add_argument("--publish", action="store_true", help="measure nothing, write the table")
    return made


if __name__ == "__main__":
    main()
