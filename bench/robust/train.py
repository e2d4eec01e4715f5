"""Training one net of the family: with a record of its epochs, its scores, and its weights along the way."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import models
from bench.robust.nets import HELDOUT, RECORD_EVERY, SCORED, Net
from core.attacks import PGD
from core.data import load_data
from core.data.imageset import ImageSet
from core.device import best_device, hardware
from core.metrics import evaluate
from core.networks.layout import set_layout
from core.networks.report import by_layer, report_of
from core.optim.batches import steps_per_epoch
from core.runs import finish
from core.training import Standard
from core.training.shared.records import Record
from core.training.shared.sgd_settings import schedule_of
from models import Classifier
from models.record import FILE as RECORD
from models.store import halved
from models.untrained import fresh

JUDGE = PGD(steps=20)
"""The attack behind the final scores, on every test picture."""
TESTED = 1000
"""Test pictures behind the final scores, and training pictures beside them."""


class OutOfTime(Exception):
    """The time that was given is over; nothing of this net is kept."""


def one_thread() -> None:
    """A worker takes one CPU core: the GPU computes, or there are as many workers as cores."""
    torch.set_num_threads(1)


def pictures(data: str, split: str, limit: int, folder: Path | None) -> ImageSet:
    """The first pictures of a split; from `folder` where the machine has no network: `<data>-<split>.safetensors`
    with images and labels, and the names of the classes as JSON in its metadata."""
    if folder is None or data == "scenes":
        return load_data(data, split, limit=limit)
    with safe_open(folder / f"{data}-{split}.safetensors", framework="pt") as kept:
        images, labels = kept.get_slice("images")[:limit], kept.get_slice("labels")[:limit]
        return ImageSet(images, labels, tuple(json.loads(kept.metadata()["names"])), origin=f"{data}, {split}")


def train(net: Net, out: Path, source: Path | None = None, deadline: float = float("inf")) -> str:
    """Train `net` into the folder `out/<name>`, its snapshots into `out/snapshots/<name>`; a line that says what came
    out. Nothing is done where it is there already.

    deadline : seconds since the epoch after which it is given up
    """
    if (out / net.name / RECORD).is_file():
        return f"{net.name}: known"
    started, method = time.time(), net.method
    used = method.pictures + (HELDOUT if isinstance(method, Standard) else 0)
    data = pictures(net.data, "train", used, source).to(best_device())
    start = begin(net, data)
    last, best, rows = _trained(net, start, data, out, deadline)
    seconds = time.time() - started
    test = pictures(net.data, "test", TESTED, source).to(best_device())
    said = _keep(net, net.name, last, rows, data, test, seconds, out)
    if net.best and best is not None:
        _keep(net, net.best, best, rows, data, test, seconds, out)
    return said


def begin(net: Net, data: ImageSet) -> Classifier:
    """The network that the training starts from, where the pictures are."""
    if net.start.startswith("arch:"):
        _, channels, height, width = data.images.shape
        start = fresh(net.start, data.class_names, (channels, height, width), data=net.data, seed=net.seed)
    else:
        start = models.load(net.start)
    return set_layout(start.to(best_device()), data.images)


def _trained(
    net: Net, start: Classifier, data: ImageSet, out: Path, deadline: float
) -> tuple[Classifier, Classifier | None, dict[str, list[float]]]:
    """The network after the last epoch, that of the best one, and the record by column."""
    method: Any = net.method
    used = min(method.pictures, len(data)) - (0 if isinstance(method, Standard) else method.heldout)
    per_epoch = steps_per_epoch(data[:used], method.batch_size)
    total = per_epoch * method.epochs
    keep = _snapshots(net, total, per_epoch, out)
    sets = {"train": data[:HELDOUT], "heldout": data[used : used + HELDOUT]}
    record = Record(sets, PGD(steps=10), every=RECORD_EVERY)
    run: Any
    if isinstance(method, Standard):
        run = record.over(method.run(start, data, seed=net.seed), per_epoch, schedule_of(method, total))
    else:
        run = dataclasses.replace(method, early_stop=True).run(start, data, seed=net.seed)
    last, best = copy.deepcopy(start).eval().requires_grad_(False), None
    try:
        while True:
            progress = next(run)
            if progress.total == total:
                keep(progress.step, progress.model)
                if progress.step == total:
                    last.load_state_dict(progress.model.state_dict())
            if time.time() > deadline:
                raise OutOfTime(f"it was at step {progress.step} of {progress.total}")
    except StopIteration as end:
        best = end.value
    finally:
        run.close()
    if best is None:
        record.write(last)
    columns = by_layer(report_of(last if best is None else best), "record")
    return last, best, {name: [round(value, 5) for value in column.tolist()] for name, column in columns.items()}


def _snapshots(net: Net, total: int, per_epoch: int, out: Path) -> Callable[[int, Classifier], None]:
    """What keeps the weights as float16, `net.snapshots` times, the last time at the end."""
    epochs = total // per_epoch
    wanted = {round(epochs * i / net.snapshots) for i in range(1, net.snapshots + 1)} if net.snapshots else set()
    folder = out / "snapshots" / net.name
    done: set[int] = set()

    def keep(step: int, model: Classifier) -> None:
        epoch = step // per_epoch
        if step % per_epoch == 0 and epoch in wanted and epoch not in done:
            done.add(epoch)
            folder.mkdir(parents=True, exist_ok=True)
            save_file(halved(model.net.state_dict()), folder / f"epoch-{epoch:03}.safetensors")

    return keep


def _keep(
    net: Net, name: str, model: Classifier, rows: dict[str, list[float]], data: ImageSet, test: ImageSet,
    seconds: float, out: Path,
) -> str:  # fmt: skip
    """Score the network as it is stored, and store it with its record."""
    used = net.labelled
    model.net.load_state_dict(halved(model.net.state_dict()))
    scores = {"test": scored(model, test), "train": scored(model, data[: min(TESTED, used)])}
    early = name == net.best
    words = "the epoch that was best under PGD-10 on pictures held out" if early else "the last epoch"
    done = (
        f"PreAct-ResNet-18 of width 16, trained by {type(net.method).__name__} from {net.start} for "
        f"{net.method.epochs} epochs on "
        f"{used:,} pictures of {net.data}; the weights are those of {words}."
    )
    block: dict[str, Any] = {"data": net.data, "training": net.recipe(early), "done": done, "licence": "apache-2.0"}
    block["scores"] = {"test": scores["test"]}
    models.save(model, out / name, perturb=block)
    told = {
        "epochs": rows, "seconds": round(seconds, 1), "hardware": hardware(), "torch": torch.__version__,
        "scores": scores,
    }  # fmt: skip
    (out / name / RECORD).write_text(json.dumps(told) + "\n", encoding="utf-8")
    found = scores["test"]
    return (
        f"{name}: test {found['acc']:.1%} plain, {found['robust']:.1%} under PGD-20; "
        f"training {scores['train']['robust']:.1%}; {seconds:.0f} s"
    )


def scored(model: Classifier, data: ImageSet) -> dict[str, float]:
    """Accuracy, plain and under JUDGE, and how many pictures stand behind them."""
    attacked = finish(JUDGE.run(model, data.pixels, data.labels))
    robust = 1 - attacked.success.float().mean().item()
    return {"acc": round(evaluate(model, data).acc, 5), "robust": round(robust, 5), "n": len(data)}


def speed(net: Net, source: Path | None, seconds: float) -> float:
    """Passes per second of a training that runs for so long, the first steps left out."""
    data = pictures(net.data, "train", net.method.pictures, source).to(best_device())
    training: Any = net.method
    method = dataclasses.replace(training, heldout=0, epochs=200)
    run = method.run(begin(net, data), data, seed=net.seed)
    total, first, begun = next(run).total, 5, 0.0
    for progress in run:
        if progress.step == first:
            begun = time.time()
        if begun and time.time() - begun > seconds:
            torch.cuda.synchronize() if torch.cuda.is_available() else None
            run.close()
            per_step = (dataclasses.replace(net, method=method).cost - SCORED) / total
            return (progress.step - first) * per_step / (time.time() - begun)
    raise RuntimeError("The training ended before it was measured.")
