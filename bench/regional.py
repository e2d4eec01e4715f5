"""Regional against global perturbations: the table of Ozbulak et al., measured here.

    python -m bench.regional [--only cifar10|imagenet] [--pictures 100] [--seeds 1] [--minutes M] [--publish]

For each directed pair of networks and for the centre square, the frame, random pixels, and where the source looks most
and least, all of the medium area: transfer rates over the first `--pictures` of the test split that both networks get
right (or as many as there are), and the paired ratios local / global of the norms where both attacks transfer. Targets
are drawn by seed and shared by all regions. A pair goes to bench/cells/regional.json as soon as it is known and is not
measured again; --minutes starts no pair after that time; --publish measures nothing and writes
lab/stored/tables/regional.json. The Hub's networks and data are asked for as the app asks for them.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from typing import Any

from bench import kept
from bench.keep import keep, machines
from core.attacks import Adversarial, Comparison, Regional, compare, global_counterpart, right_for_both
from core.data import load_data
from core.data.imageset import ImageSet
from core.device import best_device, hardware
from core.metrics import wilson
from core.runs import finish
from models import Classifier, load

FILE = kept.FOLDER / "regional.json"
FAMILIES = ("square", "frame", "random", "attention", "unattended")
RESNET20, RESNET32 = "hf:akamaster/cifar_resnet20", "hf:akamaster/cifar_resnet32"
CLEAN, ROBUST = "zoo:cifar10-clean", "zoo:cifar10-at-awp"
MOBILE_V2, MOBILE_V1 = "hf:google-coral/mobilenet_v2_1.0_224", "hf:google-coral/mobilenet_v1_0.75_192"
PAIRS = {
    "cifar10": (
        "hf:uoft-cs/cifar10",
        ((RESNET20, RESNET32), (RESNET32, RESNET20), (RESNET32, CLEAN), (CLEAN, RESNET32), (CLEAN, ROBUST),
         (ROBUST, CLEAN), (ROBUST, RESNET20)),
    ),
    "imagenet": ("hf:imagenet-sample/imagenet-100", ((MOBILE_V2, MOBILE_V1), (MOBILE_V1, MOBILE_V2))),
}  # fmt: skip
"""Data and directed pairs of source and judge."""

Cell = dict[str, Any]


def main(argv: list[str] | None = None) -> None:
    asked = parser().parse_args(argv)
    cells, end = kept.read(FILE), time.monotonic() + 60 * asked.minutes
    for data, source, judge, seed in [] if asked.publish else planned(asked):
        if kept.holds(cells, source=source, judge=judge, seed=seed) or time.monotonic() > end:
            continue
        cells.append(measured(data, source, judge, seed, asked.pictures))
        kept.write(FILE, cells)
        print(f"{source} → {judge}, seed {seed}: {cells[-1]['seconds']} s", flush=True)
    print(publish(cells).read_text(encoding="utf-8"))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=list(PAIRS), help="the pairs of one data set")
    parser.add_argument("--pictures", type=int, default=100, help="pictures that both networks get right (default 100)")
    parser.add_argument("--seeds", type=int, default=1, help="how many draws of targets and random regions")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no pair after so many minutes")
    parser.add_argument("--publish", action="store_true", help="measure nothing; write the table")
    return parser


def planned(asked: argparse.Namespace) -> list[tuple[str, str, str, int]]:
    """Data, source, judge and seed of every pair that was asked for."""
    return [
        (data, *pair, seed)
        for seed in range(asked.seeds)
        for name, (data, pairs) in PAIRS.items()
        if asked.only in (None, name)
        for pair in pairs
    ]


def measured(
    data: str, source_ref: str, judge_ref: str, seed: int, pictures: int, method: Regional | None = None
) -> Cell:
    """One directed pair: the source attacked in every region, at its own input size, and judged by the other."""
    began, method = time.perf_counter(), method or Regional()
    source, judge = (load(ref).to(best_device()) for ref in (source_ref, judge_ref))
    shown, read = right_ones(source, judge, data, pictures)

    def attacked(family: str) -> Adversarial:
        attack = dataclasses.replace(method, family=family)
        return finish(attack.run(source, shown.pixels, shown.labels, judge=judge, seed=seed))

    everywhere = finish(global_counterpart(method).run(source, shown.pixels, shown.labels, judge=judge, seed=seed))
    return {
        "source": source_ref, "judge": judge_ref, "data": data, "seed": seed, "read": read, "n": len(shown),
        "setting": dataclasses.asdict(method),
        "rows": [row(family, attacked(family), everywhere) for family in FAMILIES],
        "hardware": hardware(), "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def right_ones(source: Classifier, judge: Classifier, data: str, pictures: int) -> tuple[ImageSet, int]:
    """The first test pictures that both get right, as many as asked for or as there are, and how many were read."""
    found = load_data(data, "test", size=source.input_size[1]).to(next(source.parameters()).device)
    places = right_for_both(source, judge, found.pixels, found.labels).nonzero()[:pictures, 0]
    enough = len(places) == pictures
    return found[places], int(places[-1]) + 1 if enough else len(found)


def row(family: str, local: Adversarial, everywhere: Adversarial) -> Cell:
    """Local against global over the pictures of one pair."""
    found: Comparison = compare(local, everywhere)
    return {
        "family": family, "area": float(local.report["region"].float().mean()),
        "local_rate": found.local_rate, "global_rate": found.global_rate,
        "n_global": found.n_global, "n_both": found.n_both,
        "ratios": {norm: dataclasses.asdict(ratio) for norm, ratio in found.ratios.items() if ratio.n},
        "judge_size": local.report.get("judge_size"),
        "source_rate": float((local.report["source_steps"] >= 0).float().mean()),
        "global_source_rate": float((everywhere.report["source_steps"] >= 0).float().mean()),
    }  # fmt: skip


def publish(cells: list[Cell]) -> Any:
    """The table that the page and `perturb paper regional` print."""
    method = cells[0]["setting"]
    return keep(
        "regional", "Regional against global perturbations",
        [flat(cell, row) for cell in cells for row in cell["rows"]],
        command="python -m bench.regional",
        n="the table's n: the first test pictures that both networks get right, at most "
        f"{max(cell['n'] for cell in cells)}; step {method['alpha']:.4f}, at most {method['steps']} steps",
        seeds=sorted({cell["seed"] for cell in cells}),
        units=dict.fromkeys(("area", "transfer, region", "transfer, global", "still transfer", "lower L2"), "%"),
        machine=machines(cells, "pairs of networks"),
        note="Attention and unattended: where the source's Grad-CAM is largest, and smallest. Transfer: the judge no "
        "longer says the label, of the n pictures. Still transfer: of the pictures whose global example transfers, "
        "those whose regional one does too, with Wilson's 95 % interval. The ratios region / global are medians over "
        "the cases, the pictures where both transfer, with 95 % bootstrap intervals; L0 falls by construction. Lower "
        "L2: share of the cases. The two MobileNets differ in input size: pictures are resized for the judge, which "
        "weakens transfer.",
    )  # fmt: skip


def flat(cell: Cell, row: Cell) -> dict[str, Any]:
    """One pair and region as a row of the table."""
    names = " → ".join(ref.split("@")[0].split("/")[-1].removeprefix("zoo:") for ref in (cell["source"], cell["judge"]))
    share = row["n_both"] / row["n_global"] if row["n_global"] else None
    line = {
        "source → judge": names, "region": row["family"], "seed": cell["seed"], "area": row["area"], "n": cell["n"],
        "transfer, region": row["local_rate"], "transfer, global": row["global_rate"], "still transfer": share,
        "interval": None if share is None else interval(wilson(share, row["n_global"]), 100, 0), "cases": row["n_both"],
    }  # fmt: skip
    for name in ("L0", "L2", "Linf"):
        ratio = row["ratios"].get(name.lower())
        line[f"{name} ratio"] = ratio and ratio["median"]
        if name != "L0":
            line[f"{name} interval"] = ratio and ratio["interval"] and interval(ratio["interval"])
    return line | {"lower L2": row["ratios"].get("l2", {}).get("lower")}


def interval(ends: tuple[float, float] | list[float], scale: float = 1, digits: int = 2) -> str:
    """Both ends as a table shows them."""
    return " to ".join(f"{scale * end:.{digits}f}" for end in ends)


if __name__ == "__main__":
    main()
