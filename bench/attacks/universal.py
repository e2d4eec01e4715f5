"""One change for all pictures, ours beside that of ART: processor time until the same share of pictures is fooled."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import models
from bench.attacks.libraries import art_classifier
from bench.keep import keep
from core.attacks import Universal
from core.attacks.shared.universal_delta import added
from core.attacks.universal.universal_change import task
from core.data import load_data
from core.device import best_device
from core.runs import finish
from models import Classifier

MODEL, DATA = "zoo:scenes-clean", "scenes"
XI, ENOUGH, PASSES, SEED = 10 / 255, 0.5, 10, 0
"""The ball, the share at which a search ends, and the most passes over the pictures."""
OURS = {how: Universal(how=how, xi=XI, enough=ENOUGH, passes=PASSES) for how in ("deepfool", "sign")}


def publish(n: int) -> Path:
    """Measure, and write the table lab/stored/tables/universal-speed.json."""
    return keep(
        "universal-speed", "One change for all pictures beside ART", rows(n),
        command="python -m bench.attacks --universal",
        n=f"made on {n} training pictures of Scenes, judged on as many test pictures; {MODEL}, ξ = 10/255",
        seeds=[SEED], units={"time": "s", "fooled, training": "%", "fooled, test": "%"},
        note=f"Processor time of one process, one run each. Every search ends after the pass in which it fools "
        f"{100 * ENOUGH:.0f} % of its pictures, or after {PASSES} passes. ART has the DeepFool search only, picture by "
        "picture, and takes and returns NumPy arrays.",
    )  # fmt: skip


def rows(n: int) -> list[dict[str, Any]]:
    """ART, and both of our searches, on the same pictures."""
    model = models.load(MODEL).to(best_device()).eval().requires_grad_(False)
    fit, test = (load_data(DATA, split, limit=n).to(best_device()) for split in ("train", "test"))
    work = task(model, fit, test, None, n, SEED)
    searches: dict[str, Callable[[], Tensor]] = {"ART, deepfool": lambda: art(model, fit.pixels)} | {
        f"ours, {how}": lambda method=method: finish(method.run(model, fit, test=test, seed=SEED)).change  # type: ignore
        for how, method in OURS.items()
    }
    found: list[dict[str, Any]] = []
    for name, search in searches.items():
        began = time.process_time()
        change = search()
        took = time.process_time() - began
        learned, others = work.judged(model, partial(added, delta=change))
        found.append({"search": name, "time": took, "fooled, training": learned.share, "fooled, test": others.share})
        print(found[-1], flush=True)
    return [row | {"times faster than ART": found[0]["time"] / row["time"]} for row in found]


def art(model: Classifier, images: Tensor) -> Tensor:
    """ART's universal perturbation (C, H, W), by DeepFool with ten steps per picture as ours."""
    from art.attacks.evasion import UniversalPerturbation  # type: ignore[import-not-found]

    random.seed(SEED)
    attack = UniversalPerturbation(
        art_classifier(model, images), attacker="deepfool",
        attacker_params={"max_iter": 10, "nb_grads": 10, "verbose": False},
        delta=1 - ENOUGH, max_iter=PASSES, eps=XI, norm=np.inf, verbose=False,
    )  # fmt: skip
    attack.generate(images.cpu().numpy())
    return torch.as_tensor(attack.noise)[0].to(images)
