"""The tables of a family, among those that ship with the lab."""

from __future__ import annotations

from bench.family import summary
from bench.family.score import PAIRS, SCORED, Cell
from bench.keep import keep, machines

CPU = "2 CPU cores (AMD EPYC)"
"""What measured the cells that do not say so."""
TIMES, SHARES = ("CPU time", "CPU time, old", "CPU time, new"), ("ASR before", "ASR", "finds")
UNITS = dict.fromkeys(TIMES, "s") | dict.fromkeys(SHARES, "%")
MEANS = (
    "Means over the nets, each with the mean over its seeds, and 95 % t-intervals, the nets being the sample; ACC lost "
    "in points. CPU time: of the runs without a GPU. Every repair with the lab's defaults and the clean images of its "
    "seed, which alone decide what it does."
)
FAILED = "no result: where the method ended in a sentence, not a model: it needs batch norms, or its loss diverged."
NOTES = {
    "family": f"{MEANS} No default was chosen by these nets: they have other depths, widths, triggers, target and "
    f"seeds. lost > 3, ASR > 20 %: on how many nets. {FAILED}",
    "family-development": f"{MEANS} The defaults were chosen on these nets, so their figures flatter them. lost > 3, "
    f"ASR > 20 %: on how many nets. {FAILED}",
    "family-architectures": "Means over the nets of an architecture and their seeds: ACC lost in points / ASR in %. "
    "The first row is the backdoored network.",
    "family-rankings": "finds: share of the tenth of all channels that the trigger moves most (TAC over "
    f"{PAIRS} test images, which no defender knows) that is among the tenth that TSBD suspects most; chance finds "
    "10 %. ASR and ACC lost (in points): after the whole repair.",
    "family-before": f"{MEANS} old: the defaults tuned on scenes-badnets alone; new: those chosen over the development "
    f"family. Nets and seeds that both were tried on; means over the runs in which both gave a model. {FAILED}",
}
TITLES = {
    "family": "Every repair over networks that no default was chosen by",
    "family-development": "Every repair over the networks that the defaults were chosen on",
    "family-architectures": "The same by architecture",
    "family-rankings": "The same networks: what TSBD's ranking finds",
    "family-before": "The same networks: defaults chosen on one network and over a family",
}


def publish(family: str, cells: list[Cell], old: list[Cell], command: str) -> None:
    """Keep the tables that the cells of a family give; `old` are those of earlier defaults over the second one."""
    if family == "development":
        tables = {"family-development": summary.by_repair(cells)}
    else:
        tables = {
            "family": summary.by_repair(cells), "family-before": summary.beside(old, cells),
            "family-architectures": summary.by_architecture(cells), "family-rankings": summary.rankings(cells),
        }  # fmt: skip
    triggered = [cell["after"]["n_asr"] for cell in cells if "after" in cell]
    n = f"n = {SCORED:,} test images for ACC, {min(triggered):,} to {max(triggered):,} triggered ones for ASR and RA"
    for name, rows in tables.items():
        if rows:
            seeds = sorted({cell["seed"] for cell in cells})
            path = keep(
                name, TITLES[name], rows, command=command, n=n, seeds=seeds, units=UNITS, note=NOTES[name],
                machine=machine(cells),
            )  # fmt: skip
            print(path.read_text(encoding="utf-8"))


def machine(cells: list[Cell]) -> str:
    """What measured the cells, where it was not this machine alone; "" where it was."""
    told = [{"hardware": CPU} | cell for cell in cells]
    return "" if all(cell["hardware"] == CPU for cell in told) else machines(told, "runs")
