"""Explanations beside other libraries: how long they take, and how far they agree.

    python -m bench.explain [--threads 1]

Heatmaps of captum and the grad-cam package, and concept vectors of captum, each in turn with ours in one process. What
other programs do to the machine counts little, since processor time is measured; wins and losses alike are printed, and
go to lab/stored/tables/heatmaps.json and concept-speed.json.
"""

from __future__ import annotations

import argparse

import torch

from bench.explain import heatmaps, vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
    torch.set_num_threads(parser.parse_args().threads)
    command = f"python -m bench.explain --threads {torch.get_num_threads()}"
    for part in (vectors, heatmaps):
        print(part.publish(part.measured(), command).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
