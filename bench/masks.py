"""FMix's masks in batches beside one by one with NumPy, as the released code draws them, in one process.

    python -m bench.masks [--count 10000] [--threads 1]

On an idle machine only. The table goes to lab/stored/tables/fmix-masks.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bench.keep import keep
from core.training import FMix
from core.training.mixing.low_frequency_masks import OFFICIAL, PAPER

SIZE, DECAY = (32, 32), 3.0
BATCHES = (128, 500, None)
TIMES = 8


def one_mask(rng: np.random.Generator) -> np.ndarray:
    """A mask (H, W) by the steps of the released sampler: half a spectrum of normal numbers over f^decay, the inverse
    transform, and the brightest pixels by rank."""
    height, width = SIZE
    columns, rows = np.fft.fftfreq(width)[: width // 2 + 1], np.fft.fftfreq(height)[:, None]
    scale = np.maximum(np.sqrt(columns**2 + rows**2), 1 / max(SIZE)) ** DECAY
    parts = rng.standard_normal((*scale.shape, 2)) / scale[..., None]
    grey = np.fft.irfft2(parts[..., 0] + 1j * parts[..., 1], SIZE)
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    share = rng.beta(1, 1) * grey.size
    count = int(np.ceil(share) if rng.random() > 0.5 else np.floor(share))
    mask = np.zeros(grey.size, np.float32)
    mask[grey.reshape(-1).argsort()[::-1][:count]] = 1
    return mask.reshape(SIZE)


def drawn(mixer: FMix, lam: Tensor, batch: int | None) -> Callable[[], None]:
    """A function that draws a mask for each weight, in batches; like a training, it keeps none."""
    generator = torch.Generator().manual_seed(0)

    def draw() -> None:
        for part in lam.split(batch or len(lam)):
            mixer.masks(part, SIZE, torch.device("cpu"), generator)

    return draw


def microseconds(draw: Callable[[], object], count: int) -> list[float]:
    """Per mask, of each of several times after a first one that does not count."""
    draw()
    found = []
    for _ in range(TIMES):
        start = time.perf_counter()
        draw()
        found.append(1e6 * (time.perf_counter() - start) / count)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="masks (default 10,000)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    count, rng = arguments.count, np.random.default_rng(0)
    slow = microseconds(lambda: [one_mask(rng) for _ in range(count)], count)
    rows = [{"masks": "NumPy, one by one", "time per mask": min(slow), "times as fast": 1.0}]
    lam = torch.rand(count, generator=torch.Generator().manual_seed(0))
    for mode in (PAPER, OFFICIAL):
        for batch in BATCHES:
            found = min(microseconds(drawn(FMix(mode=mode), lam, batch), count))
            said = "all at once" if batch is None else f"in batches of {batch}"
            rows.append({"masks": f"{mode}, {said}", "time per mask": found, "times as fast": min(slow) / found})
    path = keep(
        "fmix-masks",
        f"{count:,} masks of 32 x 32 pixels",
        rows,
        command=f"python -m bench.masks --count {count} --threads {arguments.threads}",
        n=f"{count:,} masks, the shortest of {TIMES} times; {arguments.threads} thread{'s' * (arguments.threads > 1)}",
        seeds=[],
        units={"time per mask": "µs"},
        note="The goal, 20 times as fast, is missed: of the time that it would leave for a mask, drawing its 1,024 "
        "normal numbers takes three quarters, and sorting its pixels more than all of it.",
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
