"""AE, AAE and ITSR on MNIST 0 against 2 at 1 %, 5 % and 0.1 % contamination, three seeds, on a reduced schedule.

    python -m bench.outliers [--cells N]

Each finished cell is written to bench/cells/outliers.json at once, so that it may be stopped and started again; the
table goes to lab/stored/tables/itsr.json. --cells 0 measures nothing and writes the table from the cells there are.
"""

from __future__ import annotations

import argparse

from bench import kept
from bench.outliers.measure import FILE, Pictures, measured, planned
from bench.outliers.publish import publish


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, default=None, help="how many more cells to measure (default: all)")
    cells = kept.read(FILE)
    there = {(cell["share"], cell["seed"], cell["method"]) for cell in cells}
    todo = [one for one in planned() if one not in there][: parser.parse_args().cells]
    pictures = Pictures() if todo else None
    for one in todo:
        assert pictures is not None
        cells.append(measured(pictures, *one))
        kept.write(FILE, cells)
        print(cells[-1], flush=True)
    print(publish(cells).read_text())


if __name__ == "__main__":
    main()
