"""A robustness report as files: HTML that needs no other file and no network, and JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.metrics import wilson
from lab.kinds.report import CORRUPTED, REGION
from lab.kinds.shared.words import percent

if TYPE_CHECKING:
    from lab.results import Result

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem;border-bottom:1px solid #8886;"
    "text-align:left}svg{max-width:100%}pre{overflow:auto;font-size:13px}caption{text-align:left;opacity:.7}"
)
WIDTH, HEIGHT, LEFT, BELOW = 560, 260, 50, 40
"""Pixels of the curve's picture, and of its margins for the axes."""


def as_json(result: Result) -> dict[str, Any]:
    """The result's row, with intervals and tables."""
    images, notes = result.images, result.notes
    curve = {name: images[name].tolist() for name in ("budgets", "robust", "noise")}
    classes = [
        {"class": name, "acc": row[1], "robust": row[2], "n": int(row[3])}
        for name, row in zip(_names(notes["classes"]), images["classes"].tolist(), strict=True)
    ]
    stages = [
        {"stage": name, "attacked": int(row[0]), "broken": int(row[1]), "queries": int(row[2])}
        for name, row in zip(_names(notes["stages"]), images["stages"].tolist(), strict=True)
    ]
    intervals = {name: result.interval(name) for name in result.figures}
    warnings = _names(notes["warnings"])
    return result.row() | {"intervals": intervals, "curve": curve, "classes": classes, "autoattack": stages,
                           "warnings": warnings}  # fmt: skip


def as_html(result: Result) -> str:
    """The report as one page."""
    data, recipe, n = as_json(result), result.recipe, result.counts
    names = {score.figure: (score.label, score.help) for score in recipe.kind.scores}
    figures = [[names[name][0], *_share(result, name), names[name][1]] for name in names if name in result.figures]
    figures.insert(2, ["Under noise", *_share(result, "control/survives"), "The control: random noise of the size ε."])
    method: Any = recipe.method
    unit = "ε · 255 (L∞)" if method.norm == "linf" else "radius in L2"
    scale = 255 if method.norm == "linf" else 1
    budgets = [scale * budget for budget in data["curve"]["budgets"]]
    curve = [[f"{b:.3g}", _told(r, n["survives"]), percent(c)]
             for b, r, c in zip(budgets, data["curve"]["robust"], data["curve"]["noise"], strict=True)]  # fmt: skip
    parts = [
        f"<h1>Robustness of {_text(_model(result))}</h1>", f"<p><b>{_text(data['conclusion'])}</b></p>",
        *(f"<p>Warning: {_text(each)}</p>" for each in data["warnings"]),
        _table(("", "right", "95 % interval", "n", "what it is"), figures),
        "<h2>Against the budget</h2>", _svg(budgets, data["curve"], unit),
        _table((unit, "right under PGD (95 % interval)", "right under noise"), curve),
        f"<h2>AutoAttack, {n['autoattack']} pictures</h2>",
        _table(("stage", "attacked", "broken", "forward passes"), [list(each.values()) for each in data["autoattack"]]),
        "<h2>By class</h2>",
        _table(("class", "right", "right under PGD", "n"),
               [[e["class"], percent(e["acc"]), percent(e["robust"]), e["n"]] for e in data["classes"]]),
        f"<h2>Corruptions of severity {method.severity}</h2>", _table(("", "right"), _part(result, CORRUPTED)),
        "<h2>PGD that may change only a part (28.7 % of the pixels)</h2>", _table(("", "right"), _part(result, REGION)),
        "<h2>How it was measured</h2>",
        f"<p>One seed, {recipe.seed}; {n['acc']} test pictures of {_text(str(recipe.data))}; {_text(result.device)}, "
        f"{result.seconds:.0f} s. Intervals are 95 % Wilson intervals over the pictures. What an attack does not find "
        "is no proof: each share is an upper bound.</p>",
        f"<pre>{_text(json.dumps(data['versions'] | {'recipe': data['recipe']}, indent=2))}</pre>",
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><title>Robustness of {_text(_model(result))}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def write(result: Result, folder: Path) -> list[Path]:
    """report.html and report.json in the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"report.html": as_html(result), "report.json": json.dumps(as_json(result), indent=2)}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _names(joined: str) -> list[str]:
    return joined.split("; ") if joined else []


def _text(value: Any) -> str:
    return html.escape(str(value))


def _model(result: Result) -> str:
    return result.recipe.model if isinstance(result.recipe.model, str) else "the result of a run"


def _share(result: Result, name: str) -> list[Any]:
    low, high = wilson(result.figures[name], result.counts[name])
    return [percent(result.figures[name]), f"{percent(low)} – {percent(high)}", result.counts[name]]


def _told(share: float, n: int) -> str:
    low, high = wilson(share, n)
    return f"{percent(share)} ({percent(low)} – {percent(high)})"


def _part(result: Result, head: str) -> list[list[Any]]:
    found = result.figures
    return [[name.removeprefix(head), percent(found[name])] for name in found if name.startswith(head)]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    top = "".join(f"<th>{_text(each)}</th>" for each in head)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _svg(budgets: Sequence[float], curve: dict[str, list[float]], unit: str) -> str:
    """The curve and its control; dashes tell them apart."""
    largest = max([*budgets, 1e-9])

    def points(shares: Sequence[float]) -> str:
        return " ".join(f"{LEFT + (WIDTH - LEFT - 10) * b / largest:.1f},{10 + (HEIGHT - BELOW - 10) * (1 - s):.1f}"
                        for b, s in zip(budgets, shares, strict=True))  # fmt: skip

    marks = "".join(
        f'<text x="5" y="{15 + (HEIGHT - BELOW - 10) * (1 - s):.0f}" font-size="12" fill="currentColor">{s:.0%}</text>'
        for s in (0, 0.5, 1)
    )  # fmt: skip
    lines = "".join(
        f'<polyline points="{points(curve[name])}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>'
        for name, colour, dash in (("robust", "#0072b2", ""), ("noise", "#d55e00", ' stroke-dasharray="6 4"'))
    )  # fmt: skip
    label = f'<text x="{LEFT}" y="{HEIGHT - 8}" font-size="12" fill="currentColor">0 to {largest:.3g}: {_text(unit)}; '
    label += "solid: PGD, dashed: noise</text>"
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="Accuracy against the budget">'
    return f"{head}{marks}{lines}{label}</svg>"
