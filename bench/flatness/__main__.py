"""Robust flatness of plain and robust nets, as in Stutz, Hein, Schiele (ICCV 2021).

    python -m bench.flatness [NET …] [--workers 12] [--n 1000]
    python -m bench.flatness --folder FOLDER [--pictures FOLDER] [--snapshots NAME] [--cells FOLDER] [--minutes 5]
    python -m bench.flatness --publish [--cells FOLDER]

Measures the zoo's nets without a backdoor on CIFAR-10 and Scenes, or those that bench.robust has trained into a FOLDER,
and with --snapshots the epochs of one of them. Each net is one process's work and one file of --cells (by default
bench/cells/flatness), written as soon as it is known and not measured again until its weights or the settings change.
--minutes starts nothing after that time. Measuring needs no more than core, models and the data, which come from the
Hugging Face Hub or from --pictures. `--publish` measures nothing: it writes lab/stored/tables/flatness.json and
flatness-epochs.json, and slices of the landscapes, from the cells of the zoo's nets.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from bench import kept
from bench.flatness.measure import (
    PICTURES,
    Cell,
    Measured,
    briefly,
    family,
    file_of,
    line,
    measured,
    settings,
    snapshots,
)
from bench.robust.train import one_thread


def main() -> None:
    arguments = parser().parse_args()
    if arguments.publish:
        from bench.flatness.publish import publish  # names the versions of packages that measuring does not need

        publish(*stored(family(), arguments.cells))
        return
    nets = [net for net in family(arguments.folder) if not arguments.nets or net.name in arguments.nets]
    if missing := set(arguments.nets) - {net.name for net in nets}:
        raise SystemExit(f"{', '.join(sorted(missing))}: no such net; there are {', '.join(n.name for n in family())}.")
    if arguments.snapshots:
        nets += snapshots(arguments.folder, arguments.snapshots)
    began, end = time.time(), time.time() + 60 * arguments.minutes
    given = arguments.cells, arguments.n, arguments.seed, arguments.pictures, end
    if arguments.workers == 1:
        for net in nets:
            print(measure(net, *given), flush=True)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, mp_context=context, initializer=one_thread) as pool:
        runs = {pool.submit(measure, net, *given): net for net in nets}
        for run in as_completed(runs):
            error = run.exception()
            said = run.result() if error is None else f"{runs[run].name}: {type(error).__name__}: {error}"
            print(f"{time.time() - began:5.0f} s  {said}", flush=True)


def measure(net: Measured, folder: Path, n: int, seed: int, source: Path | None, end: float) -> str:
    """Measure a net, unless its file holds these very weights and settings, or it is too late; a line that says it."""
    asked, file = json.loads(json.dumps(settings(n, seed))), file_of(folder, net.name)
    cell = known(file, net.sha)
    if cell is None or any(cell[key] != value for key, value in asked.items()):
        if time.time() > end:
            return f"{net.name}: no time left"
        found = (measured if net.snapshot is None else briefly)(net, n, seed, source)
        cell = {"net": net.name, "sha": net.sha, "data": net.data, **asked} | found
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(cell) + "\n")
    return line(net.name, cell)


def known(file: Path, sha: str) -> Cell | None:
    """The cell of a file; None where there is none, or of other weights."""
    cell = json.loads(file.read_text()) if file.is_file() else None
    return cell if cell is not None and cell["sha"] == sha else None


def stored(nets: list[Measured], folder: Path) -> tuple[list[Cell], list[Cell]]:
    """The cells of these very nets, and those of the epochs of a net."""
    cells = [cell for net in nets if (cell := known(file_of(folder, net.name), net.sha)) is not None]
    epochs = [json.loads(file.read_text()) for file in sorted(folder.glob("*@*.json"))]
    return cells, epochs


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("nets", nargs="*", metavar="NET", help="only these nets (default: all)")
    made.add_argument("--folder", type=Path, help="a folder of nets in place of the zoo")
    made.add_argument("--snapshots", metavar="NAME", help="measure the epochs of this net of --folder, too")
    made.add_argument("--pictures", type=Path, metavar="FOLDER", help="data sets as files, as bench.robust takes them")
    made.add_argument("--workers", type=int, default=1, metavar="N", help="nets that are measured side by side")
    made.add_argument("--minutes", type=float, default=1e6, help="nothing is started after that time")
    made.add_argument("--n", type=int, default=PICTURES, help=f"pictures of each split (default {PICTURES:,})")
    made.add_argument("--seed", type=int, default=0, help="draws the weights and the attacks' starts (default 0)")
    made.add_argument("--cells", type=Path, default=kept.FOLDER / "flatness", help="where the nets' files lie")
    made.add_argument("--publish", action="store_true", help="measure nothing, write the tables")
    return made


if __name__ == "__main__":
    main()
