"""The family of robust networks: all of them trained side by side, on a GPU in minutes.

    python -m bench.robust --folder FOLDER [--workers 12] [--minutes 7] [--pictures FOLDER] [--only NAME …]

Each net is one process's work, from the longest to the shortest; what lies in FOLDER already is not trained again.
With --minutes the time is shared out first: a few seconds of training in all workers say how many passes there will be
for everybody, and from them follow the training pictures and the epochs of every net. Without, they are those of the
shipped nets (bench/robust/nets.py). FOLDER then holds a model per net, with `record.json`; --pack writes them as
archives of at most 15 MB. --publish trains nothing: it writes the tables "robust" and "awp" of lab/stored/tables from
the records of the zoo, of bench/cells/robust.json and of the other seeds in FOLDER.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tarfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from bench.robust.nets import Budget, Net, family
from bench.robust.train import one_thread, speed, train

MEASURED = 10.0
"""Seconds of the first look at the speed."""
USED = 0.75
"""Share of the measured speed that is counted on: the rest goes into records, scores and the last worker's wait."""
PICTURES, EPOCHS = (2500, 2000, 1500, 1000), (90, 200)
"""Training pictures to choose from, and the range of epochs: enough for a network that is to overfit its pictures."""
ARCHIVE = 15_000_000


def main() -> None:
    arguments = parser().parse_args()
    if arguments.publish:
        from bench.robust.publish import publish  # names the versions of packages that training does not need

        publish(arguments.folder)
        return
    if arguments.folder is None:
        raise SystemExit("Give --folder, where the nets are to be kept.")
    began = time.time()
    end = began + 60 * arguments.minutes if arguments.minutes else float("inf")
    out: Path = arguments.folder
    out.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, mp_context=context, initializer=one_thread) as pool:
        budget = Budget(*arguments.budget)
        if arguments.minutes:
            wanted = wanted_of(family(Budget()), arguments.only)
            probe = next(net for net in wanted if "awp" not in net.name and net.data == "cifar10")
            looks = [pool.submit(speed, probe, arguments.pictures, MEASURED) for _ in range(arguments.workers)]
            rates = [look.result() for look in looks]
            budget = affordable(sum(rates) * USED * (end - time.time()), arguments.only)
            print(f"{sum(rates):.0f} passes per second in all, {time.time() - began:.0f} s in: {budget}", flush=True)
        nets = wanted_of(family(budget), arguments.only)
        runs = {pool.submit(train, net, out, arguments.pictures, end): net for net in nets}
        for run in as_completed(runs):
            error = run.exception()
            said = run.result() if error is None else f"{runs[run].name}: {type(error).__name__}: {error}"
            print(f"{time.time() - began:5.0f} s  {said}", flush=True)
    if arguments.pack:
        pack(out, arguments.pack)
    print(f"done after {time.time() - began:.0f} s", flush=True)


def wanted_of(nets: list[Net], names: list[str] | None) -> list[Net]:
    return [net for net in nets if not names or net.name in names]


def affordable(passes: float, names: list[str] | None) -> Budget:
    """The most pictures and epochs at which all nets together take so many passes at most; fewer epochs than the range
    has only with the fewest pictures."""
    least, most = EPOCHS
    for pictures in PICTURES:
        for epochs in range(most, 0, -1):
            budget = Budget(pictures, epochs)
            if sum(net.cost for net in wanted_of(family(budget), names)) <= passes:
                if epochs >= least or pictures == PICTURES[-1]:
                    return budget
                break
    return Budget(PICTURES[-1], 1)


def pack(out: Path, to: Path) -> None:
    """Archives of all that lies in `out`, each of at most ARCHIVE bytes before it is compressed."""
    to.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    groups: list[list[Path]] = [[]]
    for file in files:
        if sum(other.stat().st_size for other in groups[-1]) + file.stat().st_size > ARCHIVE:
            groups.append([])
        groups[-1].append(file)
    for number, group in enumerate(groups):
        with tarfile.open(to / f"nets-{number}.tar.gz", "w:gz", compresslevel=4) as archive:
            for file in group:
                archive.add(file, str(file.relative_to(out)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--folder", type=Path, help="where the nets are kept")
    made.add_argument("--workers", type=int, default=1, metavar="N", help="nets that train side by side")
    made.add_argument("--minutes", type=float, default=0.0, help="time for everything; sets pictures and epochs")
    made.add_argument("--budget", type=int, nargs="*", default=[], metavar="N", help="pictures, epochs, batch size")
    made.add_argument("--pictures", type=Path, metavar="FOLDER", help="data sets as files, where there is no network")
    made.add_argument("--only", nargs="*", metavar="NAME", help="only these nets")
    made.add_argument("--publish", action="store_true", help="train nothing, write the tables")
    made.add_argument("--pack", type=Path, metavar="FOLDER", help="write archives of the nets there")
    return made


if __name__ == "__main__":
    main()
