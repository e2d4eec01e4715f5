"""Every repair with its defaults over a family of backdoored networks.

    python -m bench.family [--family second] [--seeds 3] [--repairs TSBD …] [--nets NAME …] [--folder FOLDER]

The networks (bench/family/nets.py) are trained where they are missing, one to five minutes each on one core, into
FOLDER, by default `family` in the lab's cache. The defaults were chosen on the family "development"; "second" has other
depths, widths, triggers, target and seeds, and no knob was ever set by it. Each cell is written as soon as it is known,
and is not measured again, so the command may be stopped and repeated, and run side by side for different nets or
repairs. `--train-only` scores nothing. CIFAR-10 comes from the Hugging Face Hub.

bench/cells/family-before.json holds cells of the defaults before they were chosen over a family (those of commit
495ac23); they are compared over the nets and seeds that both have. The tables go to lab/stored/tables/family*.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import kept
from bench.family.nets import FAMILIES
from bench.family.publish import publish
from bench.family.score import measured
from bench.family.train import backdoored, default_folder, train_missing
from core.defenses import DEFENSES

BEFORE = kept.FOLDER / "family-before.json"


def main() -> None:
    arguments = parser().parse_args()
    recipes = FAMILIES[arguments.family]
    folder = (arguments.folder or default_folder()) / arguments.family
    names = [name for name in recipes if name in (arguments.nets or recipes)]
    train_missing({name: recipes[name] for name in names}, folder)
    if arguments.train_only:
        return
    for name in [name for name in names if not backdoored(folder / name)]:
        print(f"{name} did not learn its trigger and is left out.")
        names.remove(name)
    out = arguments.out or kept.FOLDER / ("family.json" if arguments.family == "second" else "family-development.json")
    cells = measured(folder, names, arguments.repairs, arguments.seeds, out)
    publish(arguments.family, cells, kept.read(BEFORE), command(arguments))


def command(arguments: argparse.Namespace) -> str:
    """What measures the same again, without the folders of this machine."""
    given = {"family": [arguments.family], "seeds": [str(arguments.seeds)], "nets": arguments.nets}
    given["repairs"] = arguments.repairs if len(arguments.repairs) < len(DEFENSES) else None
    usual = {"family": ["second"], "seeds": ["3"]}
    told = [f"--{name} {' '.join(values)}" for name, values in given.items() if values and values != usual.get(name)]
    return " ".join(["python -m bench.family", *told])


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--family", choices=FAMILIES, default="second")
    made.add_argument("--folder", type=Path, help="where the nets are kept (default: the lab's cache)")
    made.add_argument("--nets", nargs="*", metavar="NAME", help="only these nets (default: all)")
    every = [one.__name__ for one in DEFENSES]
    made.add_argument("--repairs", nargs="*", metavar="NAME", choices=every, default=every, help="only these repairs")
    made.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default 3)")
    made.add_argument("--train-only", action="store_true", help="train the nets that are missing, and no more")
    made.add_argument("--out", type=Path, help="where cells are kept (default: bench/cells)")
    return made


if __name__ == "__main__":
    main()
