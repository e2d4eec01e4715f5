"""Regional against global perturbations: the table of Ozbulak et al., measured here.

    python bench/regional.py --n 100 --source REF --judge REF --data REF

For both directions between the two models and for the centre square, the frame and random pixels of the
medium area: transfer rates over all images that both models classify correctly, and the paired norm
ratios local / global over the images where both attacks transfer. Targets are drawn by seed and shared
by all regions. Writes bench/cells/regional.json and the table lab/stored/tables/regional.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.keep import keep
from bench.kept import FOLDER
from core.attacks import Adversarial, Regional, compare, global_counterpart, loading_slip, right_for_both
from core.data import load_data
from core.device import best_device
from core.metrics import wilson
from core.runs import finish
from lab.tables import table
from models import Classifier, load

FAMILIES = ("square", "frame", "random")
RAW = FOLDER / "regional.json"


def main(argv: list[str] | None = None) -> dict[str, Any]:
    options = arguments(argv)
    began = time.perf_counter()
    device = best_device()
    source, judge = (load(ref).to(device) for ref in (options.source, options.judge))
    base = Regional(area=options.area, alpha=options.alpha, steps=options.steps)
    rows = [
        row
        for first, second in ((source, judge), (judge, source))
        for seed in range(options.seeds)
        for row in direction(first, second, base, options, seed)
    ]
    found = {
        "setting": {"method": "Regional", **dataclasses.asdict(base), "source": options.source,
                    "judge": options.judge, "data": options.data, "images": options.n,
                    "seeds": list(range(options.seeds))},
        "rows": rows,
        "seconds": round(time.perf_counter() - began, 1),
    }
    found = without_nan(found)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    publish(found)
    print(table([flat(row) for row in rows], {}))
    return found


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100, help="images read from the test split")
    parser.add_argument("--source", required=True, help="one model, as models.load takes it")
    parser.add_argument("--judge", required=True, help="the other model")
    parser.add_argument("--data", required=True, help="data set, as core.data.load_data takes it")
    parser.add_argument("--area", type=float, default=0.287)
    parser.add_argument("--alpha", type=float, default=1 / 255)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=1, help="how many draws of targets and random regions")
    parser.add_argument("--out", type=Path, default=RAW)
    return parser.parse_args(argv)


def direction(
    source: Classifier, judge: Classifier, base: Regional, options: argparse.Namespace, seed: int
) -> list[dict[str, Any]]:
    """One row per family for attacks on `source`, at its input size, judged by `judge`."""
    data = load_data(options.data, "test", limit=options.n, seed=seed, size=source.input_size[1])
    data = data.to(next(source.parameters()).device)
    kept = right_for_both(source, judge, data.pixels, data.labels)
    images, labels = data.pixels[kept], data.labels[kept]

    def attacked(attack: Regional) -> Adversarial:
        return finish(attack.run(source, images, labels, judge=judge, seed=seed), bar=sys.stderr.isatty())

    everywhere = attacked(global_counterpart(base))
    slip = loading_slip(images)
    rows = []
    for family in FAMILIES:
        local = attacked(dataclasses.replace(base, family=family))
        found = compare(local, everywhere)
        rows.append({
            "source": source.card.ref, "judge": judge.card.ref, "family": family, "seed": seed, "read": len(data),
            "origin": data.origin, **dataclasses.asdict(found),
            "local_interval": wilson(found.local_rate, found.n), "global_interval": wilson(found.global_rate, found.n),
            "pixels": int(local.report["pixels"][0]), "positions": images.shape[2] * images.shape[3],
            "judge_size": local.report.get("judge_size"),
            "source_rate": float((local.report["source_steps"] >= 0).float().mean()),
            "global_source_rate": float((everywhere.report["source_steps"] >= 0).float().mean()),
            "median_steps": float(local.steps[local.success].float().quantile(0.5)) if local.success.any() else None,
            "loading_slip": {name: float(value.float().mean()) for name, value in slip.items()},
        })
    return rows


def without_nan(value: Any) -> Any:
    """The same with None for NaN (a mean over no images), which JSON does not know."""
    if isinstance(value, dict):
        return {name: without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def publish(found: dict[str, Any]) -> None:
    """The table that bench/report.py prints."""
    setting = found["setting"]
    keep(
        "regional",
        "Regional against global perturbations",
        [flat(row) for row in found["rows"]],
        command=f"python bench/regional.py --n {setting['images']} --source {setting['source']} "
        f"--judge {setting['judge']} --data {setting['data']}",
        n=f"{setting['images']} images read per direction, of which n were right for both models; step "
        f"{setting['alpha']:.4f}, at most {setting['steps']} steps",
        seeds=setting["seeds"],
        units=dict.fromkeys(("area", "transfer, region", "transfer, global", "lower L2"), "%"),
        note="Transfer: the judge no longer says the label, of the n images. The ratios region / global are medians "
        "over the pairs, the images where both transferred; L0 falls by construction. Lower L2: share of the pairs.",
    )


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """One direction and region as a row of the table."""
    names = " → ".join(ref.split("@")[0].split("/")[-1] for ref in (row["source"], row["judge"]))
    ratios = {f"{name} ratio": row["ratios"][name.lower()]["median"] for name in ("L0", "L2", "Linf")}
    return {
        "source → judge": names, "region": row["family"], "area": row["pixels"] / row["positions"], "n": row["n"],
        "transfer, region": row["local_rate"], "transfer, global": row["global_rate"], "pairs": row["n_both"],
        **ratios, "lower L2": row["ratios"]["l2"]["lower"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
