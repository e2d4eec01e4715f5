"""The runs that the Outliers page shows before anything is trained: ITSR, the autoencoders and two baselines.

    python -m bench.outliers.stored [digits] [scenes]

One run per data set that needs no network, with the settings that the page begins with, seed 0; the autoencoder, the
adversarial one and ITSR are trained anew each time. Written to lab/stored/runs/outliers-<data>.safetensors.
"""

from __future__ import annotations

import argparse

from core.anomaly import ITSR
from core.device import hardware
from core.runs import finish
from lab import outliers, whole_runs
from lab.recipes import Recipe


def recipe(data: str) -> Recipe:
    """The run that the page begins with."""
    normal, outlier = outliers.FIRST.get(data, (outliers.NORMAL_FIRST, outliers.OUTLIER_FIRST))
    inputs = {
        "normal": normal, "outlier": outlier, "contamination": outliers.SHARE_FIRST,
        "detectors": outliers.DETECTORS_FIRST, "pictures": outliers.PICTURES_FIRST, "n": outliers.TESTED_FIRST,
    }  # fmt: skip
    return Recipe(ITSR(), "zoo:scenes-clean", data, inputs, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="*", help="which (default: all)")
    for data in parser.parse_args().data or outliers.STORED:
        result = finish(recipe(data).run())
        path = whole_runs.write(outliers.stored(data), result, hardware())
        print(f"{path.name}: {path.stat().st_size:,} bytes, {result.seconds:.0f} s.", result.conclusion)


if __name__ == "__main__":
    main()
