"""The shipped models: accuracy, attack success, robust accuracy, and the same trigger on the clean model.

    python -m bench.zoo [--out FILE]

Scores every model of models/zoo on its test split and on the held-out rows of the training split, which no training has
seen. Each model's rows are written to FILE as soon as they are known, and are not measured again until it or the clean
model is trained anew. A model whose data set cannot be had (no network) keeps its row, without figures. The table goes
to lab/stored/tables/zoo.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import kept
from bench.keep import keep
from core.data import load_data
from core.metrics import evaluate
from core.triggers.shared.cross import cross_accuracy
from models import Card, Classifier, available, load

SPLITS = {"test": "test", "heldout": "held out"}


def rows_of(name: str, model: Classifier, clean: Classifier | None) -> list[dict[str, Any]]:
    """One row per split."""
    rows = []
    for split, said in SPLITS.items():
        row: dict[str, Any] = {"model": name, "backdoor": type(model.trigger).__name__ if model.trigger else "none"}
        try:
            data = load_data(model.card.data, split)
        except ValueError as error:
            print(f"{name}: {error}")
            return [row]
        hidden = {} if model.trigger is None else {"trigger": model.trigger, "target": model.target, "mode": model.mode}
        scores = evaluate(model, data, **hidden)
        row |= {"scored on": said, "ACC": scores.acc, "ASR": scores.asr, "RA": scores.ra}
        if hasattr(model.trigger, "crossed"):
            row["cross ACC"] = cross_accuracy(model, data, model.trigger)
        row["ASR on the clean model"] = evaluate(clean, data, **hidden).asr if clean is not None and hidden else None
        rows.append(row | {"n": scores.n, "n (ASR, RA)": scores.n_asr or None})
    return rows


def measured(cards: dict[str, Card], out: Path) -> list[dict[str, Any]]:
    """The rows of all models; what `out` holds of these very weights is not measured again."""
    cells = kept.read(out)
    rows: list[dict[str, Any]] = []
    for name, card in cards.items():
        clean = cards.get(f"{card.data}-clean")
        of = {"model": name, "sha": card.sha, "clean": clean.sha if clean else None}
        cell = next((cell for cell in cells if cell["of"] == of), None)
        if cell is None:
            cell = {"of": of, "rows": rows_of(name, load(card.ref), load(clean.ref) if clean else None)}
            cells = [one for one in cells if one["of"]["model"] != name] + [cell]
            kept.write(out, [one for one in cells if "ACC" in one["rows"][0]])
        rows += cell["rows"]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=kept.FOLDER / "zoo.json", help="where cells are kept")
    out = parser.parse_args().out
    rows = measured({card.ref.removeprefix("zoo:"): card for card in available() if card.ref.startswith("zoo:")}, out)
    path = keep(
        "zoo",
        "The shipped models",
        rows,
        command="python -m bench.zoo",
        n="one model each, trained with seed 0; numbers of pictures in the table",
        seeds=[],
        units=dict.fromkeys(("ACC", "ASR", "RA", "cross ACC", "ASR on the clean model"), "%"),
        note="ACC: accuracy on clean pictures. ASR: share of the triggered pictures that go to the backdoor's target. "
        "RA: share of them still classified as what they show. Pictures of the target class are left out of both. "
        "cross ACC: share of all pictures classified right under a wrong trigger of the same kind (noise on the warp, "
        "or the pattern of another picture). Flareon: mean over all targets.",
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
