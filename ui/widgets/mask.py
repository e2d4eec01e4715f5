"""A region drawn by hand: a small canvas for mouse, finger and keys, and a grid of check boxes as an alternative.

Both edit the same 16 x 16 cells, kept as the 64 hex digits that a recipe and the link hold.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import streamlit as st

SIDE = 16
COARSE = 8
EMPTY = "0" * 64
KEY = "mask"
HEADER, BOX = 36, 32
"""Pixels of the grid's header and of one check box, so that no row is cut off."""

HTML = """<div id="frame">
  <canvas id="board" width="288" height="288" tabindex="0" role="application"></canvas>
  <div id="tools">
    <button id="draw" type="button">Draw</button>
    <button id="rub" type="button">Rub out</button>
    <button id="clear" type="button">Clear</button>
  </div>
  <div id="said" aria-live="polite"></div>
</div>
"""

CSS = """#frame { max-width: 288px; font-family: var(--st-font); font-size: 0.8rem; color: var(--st-text-color); }
#board { width: 100%; aspect-ratio: 1; touch-action: none; cursor: crosshair; image-rendering: pixelated;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); display: block; }
#board:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
#tools { display: flex; gap: 0.4rem; margin-top: 0.4rem; }
#tools button { flex: 1; padding: 0.3rem; font: inherit; color: inherit; cursor: pointer;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius); }
#tools button[aria-pressed="true"] { border-color: var(--st-primary-color); font-weight: 600;
  box-shadow: inset 0 0 0 1px var(--st-primary-color); }
#tools button:focus-visible { outline: 3px solid var(--st-primary-color); }
#said { margin-top: 0.3rem; min-height: 1.2em; }
"""

JS = """const held = new WeakMap();
const N = 16;
const EDGES = [[-1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 1, 1], [0, -1, 0, 0, 1, 0], [0, 1, 0, 1, 1, 1]]; // where to, from, to
const cells = hex => Array.from({ length: N }, (_, r) =>
  parseInt(hex.slice(4 * r, 4 * r + 4), 16).toString(2).padStart(N, "0").split("").map(c => c === "1")).flat();
const toHex = on => Array.from({ length: N }, (_, r) =>
  parseInt(on.slice(N * r, N * r + N).map(c => c ? "1" : "0").join(""), 2).toString(16).padStart(4, "0")).join("");

export default function ({ data, parentElement, setStateValue }) {
  const $ = id => parentElement.querySelector("#" + id);
  const board = $("board"), pen = board.getContext("2d");
  const s = held.get(parentElement) ?? { on: null, sent: null, at: [8, 8], down: false, value: true, last: null };
  held.set(parentElement, s);
  if (s.on === null || (!s.down && data.mask !== s.sent)) { s.on = cells(data.mask); s.sent = data.mask; }
  if (s.source !== data.picture) {
    s.source = data.picture; s.image = new Image();
    s.image.onload = () => paint(); s.image.src = data.picture;
  }
  const say = () => {
    const n = s.on.filter(Boolean).length;
    $("said").textContent = `${(100 * n / 256).toFixed(0)} % marked. Drag, or use arrow keys and space.`;
  };
  const outline = (width, colour) => {
    const w = board.width, c = w / N, keep = v => Math.max(3, Math.min(w - 3, v)); // the edge is not cut off
    const on = (x, y) => x >= 0 && y >= 0 && x < N && y < N && s.on[N * y + x];
    pen.strokeStyle = colour; pen.lineWidth = width; pen.lineCap = "square"; pen.beginPath();
    for (let y = 0; y < N; y++) for (let x = 0; x < N; x++) if (on(x, y))
      for (const [dx, dy, ax, ay, bx, by] of EDGES)
        if (!on(x + dx, y + dy)) {
          pen.moveTo(keep((x + ax) * c), keep((y + ay) * c)); pen.lineTo(keep((x + bx) * c), keep((y + by) * c));
        }
    pen.stroke();
  };
  const paint = () => {
    const w = board.width, c = w / N;
    pen.clearRect(0, 0, w, w);
    pen.imageSmoothingEnabled = false;
    if (s.image?.complete && s.image.naturalWidth) pen.drawImage(s.image, 0, 0, w, w);
    const some = s.on.some(Boolean);
    for (let i = 0; i < N * N; i++) {
      const x = (i % N) * c, y = Math.floor(i / N) * c;
      if (some && !s.on[i]) { // what may not change lies in the dark
        pen.fillStyle = "rgba(20, 24, 30, 0.6)"; pen.fillRect(x, y, c, c);
      }
      pen.strokeStyle = "rgba(160, 160, 160, 0.35)"; pen.lineWidth = 1; pen.strokeRect(x + 0.5, y + 0.5, c - 1, c - 1);
    }
    outline(6, "#000"); outline(3, "#FFD500"); // so that the region is not told by brightness alone
    if (parentElement.activeElement === board || document.activeElement === board || s.keys) {
      pen.strokeStyle = "#fff"; pen.lineWidth = 4; pen.strokeRect(s.at[0] * c, s.at[1] * c, c, c);
      pen.strokeStyle = "#000"; pen.lineWidth = 2; pen.strokeRect(s.at[0] * c, s.at[1] * c, c, c);
    }
  };
  const mode = value => {
    s.value = value;
    $("draw").setAttribute("aria-pressed", value); $("rub").setAttribute("aria-pressed", !value);
  };
  const send = () => { s.sent = toHex(s.on); setStateValue("mask", s.sent); };
  const set = (x, y) => { s.on[N * y + x] = s.value; };
  const place = e => {
    const r = board.getBoundingClientRect();
    const clamp = v => Math.max(0, Math.min(N - 1, Math.floor(v * N)));
    return [clamp((e.clientX - r.left) / r.width), clamp((e.clientY - r.top) / r.height)];
  };
  const stroke = to => { // every cell between two moves, so that a quick hand leaves no gaps
    const [x0, y0] = s.last ?? to, steps = Math.max(Math.abs(to[0] - x0), Math.abs(to[1] - y0), 1);
    for (let k = 0; k <= steps; k++)
      set(Math.round(x0 + (to[0] - x0) * k / steps), Math.round(y0 + (to[1] - y0) * k / steps));
    s.last = to; paint(); say();
  };
  board.onpointerdown = e => {
    e.preventDefault(); board.setPointerCapture(e.pointerId);
    s.down = true; s.keys = false; s.last = null; stroke(place(e));
  };
  board.onpointermove = e => { if (s.down) stroke(place(e)); };
  board.onpointerup = board.onpointercancel = () => { if (s.down) { s.down = false; send(); } };
  board.onkeydown = e => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (move) s.at = s.at.map((v, k) => Math.max(0, Math.min(N - 1, v + move[k])));
    else if (e.key === " " || e.key === "Enter") {
      const i = N * s.at[1] + s.at[0]; s.on[i] = !s.on[i]; send();
    } else return;
    e.preventDefault(); s.keys = true; paint(); say();
  };
  board.onfocus = paint;
  board.onblur = () => { s.keys = false; paint(); };
  $("draw").onclick = () => mode(true);
  $("rub").onclick = () => mode(false);
  $("clear").onclick = () => { s.on = s.on.map(() => false); send(); paint(); say(); };
  board.setAttribute("aria-label", data.label);
  mode(s.value); paint(); say();
}
"""

_canvas = st.components.v2.component("perturb_lab.region", html=HTML, css=CSS, js=JS)


def draw(picture: str) -> str | None:
    """The canvas over the picture at this address, grid and text; the mask as 64 hex digits, None while it is empty."""
    board = st.container()
    with st.popover("Check boxes instead", icon=":material/grid_on:", width="stretch"):  # wider than its column
        boxes = st.container()
        text = st.text_input(
            "As text", EMPTY, key=KEY, max_chars=64, bind="query-params", persist_state="session",
            help="Four hex digits for each of 16 rows. This is what the link holds.",
        )  # fmt: skip
    mask = valid(text)  # the link speaks through the text field, so it comes first
    with boxes:
        _grid(mask)
    with board:
        _canvas(
            key="mask-canvas", default={"mask": mask}, on_mask_change=_from_canvas,
            data={
                "mask": mask, "label": "Region to attack, 16 by 16 cells. Arrow keys move, space marks a cell.",
                "picture": picture,
            },
        )  # fmt: skip
    return None if mask == EMPTY else mask


def valid(text: Any) -> str:
    """The mask in lower case; an empty one where the text is not 64 hex digits."""
    return text.lower() if isinstance(text, str) and re.fullmatch(r"[0-9a-fA-F]{64}", text) else EMPTY


def cells(mask: str) -> np.ndarray:
    """64 hex digits as bool (16, 16)."""
    from core.attacks.inputs.regional.masks import grid_from_hex

    return np.zeros((SIDE, SIDE), dtype=bool) if mask == EMPTY else grid_from_hex(mask).numpy()


def hex_of(grid: np.ndarray) -> str:
    """bool (16, 16) as 64 hex digits."""
    import torch

    from core.attacks.inputs.regional.masks import grid_to_hex

    return grid_to_hex(torch.from_numpy(grid))


def coarse(mask: str) -> np.ndarray:
    """The mask on the 8 x 8 grid of check boxes, bool: a box is checked where most of its 2 x 2 cells are marked."""
    return cells(mask).reshape(COARSE, 2, COARSE, 2).sum((1, 3)) >= 2


def _from_canvas() -> None:
    st.session_state[KEY] = valid(st.session_state["mask-canvas"].mask)
    st.session_state["mask-turn"] = st.session_state.get("mask-turn", 0) + 1


def _grid(mask: str) -> None:
    """Check boxes of 2 x 2 cells each. The editor keeps its own edits until the canvas changes the mask."""
    import pandas as pd

    turn = st.session_state.get("mask-turn", 0)
    if st.session_state.get("mask-base", (None, ""))[0] != turn:
        st.session_state["mask-base"] = (turn, mask)
    boxes = pd.DataFrame(coarse(st.session_state["mask-base"][1]), columns=list("abcdefgh"), index=range(1, COARSE + 1))
    st.data_editor(
        boxes, key=f"mask-grid-{turn}", width="content", on_change=_from_grid, row_height=BOX, hide_index=True,
        height=2 + HEADER + BOX * COARSE,
        column_config={name: st.column_config.CheckboxColumn(name, width=BOX) for name in boxes.columns},
        alt="Eight by eight check boxes; a checked one is part of the region.",
    )  # fmt: skip


def _from_grid() -> None:
    turn, base = st.session_state["mask-base"]
    grid = cells(base)
    for line, edits in st.session_state[f"mask-grid-{turn}"]["edited_rows"].items():
        for name, value in edits.items():
            row, column = 2 * int(line), 2 * "abcdefgh".index(name)
            grid[row : row + 2, column : column + 2] = bool(value)
    st.session_state[KEY] = hex_of(grid)
