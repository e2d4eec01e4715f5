"""The shipped models: accuracy, attack success, robust accuracy, and the same trigger on the clean model.

    python -m bench.zoo

Scores every model of models/zoo on its test split and on the held-out rows of the training split, which no training has
seen. A model whose data set cannot be had (no network) keeps its row, without figures. Writes
bench/results/zoo.json.
"""

from __future__ import annotations

from typing import Any

from bench.report import keep
from core.data import load_data
from core.metrics import evaluate
from core.triggers.cross import cross_accuracy
from models import Classifier, available, load

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
        door = {} if model.trigger is None else {"trigger": model.trigger, "target": model.target, "mode": model.mode}
        scores = evaluate(model, data, **door)
        row |= {"scored on": said, "ACC": scores.acc, "ASR": scores.asr, "RA": scores.ra}
        if hasattr(model.trigger, "crossed"):
            row["cross ACC"] = cross_accuracy(model, data, model.trigger)
        row["ASR on the clean model"] = evaluate(clean, data, **door).asr if clean is not None and door else None
        rows.append(row | {"n": scores.n, "n (ASR, RA)": scores.n_asr or None})
    return rows


def main() -> None:
    shipped = {card.ref.removeprefix("zoo:"): card for card in available() if card.ref.startswith("zoo:")}
    models = {name: load(card.ref) for name, card in shipped.items()}
    rows: list[dict[str, Any]] = []
    for name, model in models.items():
        rows += rows_of(name, model, models.get(f"{model.card.data}-clean"))
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
