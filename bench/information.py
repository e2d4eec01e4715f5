"""What representations learned from mixed pictures share with one learned without, and what their layers keep.

    python -m bench.information [--data scenes] [--repeats 3] [--n 300]

The table goes to lab/stored/tables/fmix-information.json.
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.keep import keep
from core.data import load_data
from core.information import Shared, SharedInformation
from core.runs import finish


def rows_of(found: Shared) -> list[dict[str, Any]]:
    """A row for each augmentation: both estimates, and the middle of the bounds of each layer, by repeat."""
    rows = []
    for name, bounds in found.shared.items():
        row: dict[str, Any] = {"learned from": name, "shared, lower": [each.lower for each in bounds],
                               "shared, upper": [each.upper for each in bounds]}  # fmt: skip
        for layer in found.layers[name][0]:
            row[layer] = [(one[layer].lower + one[layer].upper) / 2 for one in found.layers[name]]
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default="scenes", help="a data set (default scenes)")
    parser.add_argument("--repeats", type=int, default=3, help="VAEs of each kind (default 3)")
    parser.add_argument("--n", type=int, default=300, help="test pictures (default 300)")
    arguments = parser.parse_args()
    method = SharedInformation(repeats=arguments.repeats)
    train = load_data(arguments.data, "train", limit=method.pictures, size=32)
    test = load_data(arguments.data, "test", limit=arguments.n, size=32)
    size = f"{method.width} channels, {method.pictures:,} pictures, {method.epochs} epochs"
    rows = rows_of(finish(method.run(train, test), bar=True))
    path = keep(
        "fmix-information",
        f"What small VAEs learn from mixed pictures, on {arguments.data}",
        rows,
        command=f"python -m bench.information --data {arguments.data} --repeats {arguments.repeats} --n {arguments.n}",
        n=f"{len(test)} test pictures; VAEs of {size}",
        seeds=list(range(arguments.repeats)),
        units=dict.fromkeys([name for name in rows[0] if name != "learned from"], "nats"),
        note="shared: estimates of the information between the code and that of a VAE that learned without mixing, as "
        "in the released code; as estimates they may cross. Layers: the middle between two bounds on the information "
        "about which picture it was, with noise of a quarter of the layer's spread; the code has its own noise.",
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
