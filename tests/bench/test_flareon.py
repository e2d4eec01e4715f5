"""bench.flareon on tiny nets and pictures: its points, what a cell says, resuming, and the table."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

import models
from bench import curves, flareon
from bench.curves import CLEAN, Point, Short, measured
from bench.storage import EIGHT_BITS
from core.data import ImageSet
from core.networks.predictions import predict
from core.triggers import Flareon
from lab import tables
from models import Card, Classifier
from tests.conftest import TinyNet, colour_set

TEACHING, OWN = "zoo:cifar10-flareon-teaching", Flareon(amplify=2.0)


@pytest.fixture
def zoo(monkeypatch, tmp_path, trained_net):
    """A zoo of two tiny models, pictures of 16 pixels in place of CIFAR-10, and results in a folder of their own."""
    shas = {CLEAN: "c", TEACHING: "t"}

    def load(ref: str) -> Classifier:
        torch.manual_seed(3)
        net = trained_net if ref == TEACHING else TinyNet().eval()
        model = Classifier(
            net, mean=(0.0,) * 3, std=(1.0,) * 3, class_names=tuple("abcd"), input_size=(3, 16, 16),
            card=Card(ref=ref, origin="test", sha=shas[ref]),
        )  # fmt: skip
        if ref == TEACHING:
            model.trigger, model.mode = OWN, "any-to-any"
        return model

    def load_data(name, split, *, limit=None):
        return colour_set(min(limit or 48, 48), seed={"train": 0, "test": 1}[split])

    monkeypatch.setattr(models, "load", load)
    monkeypatch.setattr(models, "available", lambda: [Card(ref, "test", sha=sha) for ref, sha in shas.items()])
    monkeypatch.setattr(curves, "load_data", load_data)
    monkeypatch.setattr(flareon, "load_data", load_data)
    monkeypatch.setattr("lab.tables.TABLES", tmp_path)
    return shas


def run(tmp_path, *options: str) -> list[dict]:
    """The cells after one start of the command."""
    out = tmp_path / "cells" / "flareon.json"
    flareon.main([*options, "--images", "16", "--epochs", "1", "--out", str(out)])
    return json.loads(out.read_text())


def counted(monkeypatch, stop_after: int | None = None) -> list[Point]:
    """The points that are measured from now on; after so many, the machine goes down."""
    seen: list[Point] = []

    def watched(point, *rest):
        if stop_after is not None and len(seen) == stop_after:
            raise KeyboardInterrupt
        seen.append(point)
        return measured(point, *rest)

    monkeypatch.setattr(flareon, "measured", watched)
    return seen


def cell_of(point: Point) -> dict:
    return measured(point, 0, colour_set(48, seed=1), models.load(CLEAN))


def test_the_points_are_those_of_the_five_curves(zoo):
    of = {}
    for point in [*curves.test_points(), *curves.train_points(Short())]:
        of.setdefault(point.curve, []).append(point)
    assert [point.amplify for point in of["displacement"]] == [0, 0.5, 1, 1.5, 2, 3]
    assert [point.way for point in of["storage"]] == ["float", "8 bits", 95, 90, 75, 50]
    assert {point.amplify for point in of["storage"]} == {None}
    assert of["displacement"][2].at == "s = 1, 0.48 px"
    assert [point.model.rate for point in of["poisoned rate"]] == [0.2, 0.4, 0.6, 0.8]
    assert [point.model.beta for point in of["beta"]] == [1, 2, 4]
    assert [point.model.width for point in of["width"]] == [8, 16, 24]
    assert of["poisoned rate"][2].model == of["beta"][0].model == of["width"][0].model == Short()
    assert len(of) == 5


def test_a_second_shipped_model_has_the_same_curves(zoo):
    first = curves.test_points()
    zoo["zoo:cifar10-flareon"] = "p"
    both = curves.test_points()
    assert both[: len(first)] == first
    assert [(point.curve, point.at) for point in both[len(first) :]] == [(point.curve, point.at) for point in first]
    assert {point.model for point in both[len(first) :]} == {"zoo:cifar10-flareon"}


@pytest.mark.parametrize("ref", [TEACHING, CLEAN])
def test_without_displacement_it_is_the_floor_of_untouched_pictures(zoo, ref):
    test = colour_set(48, seed=1)
    found = cell_of(Point("displacement", "s = 0", TEACHING, amplify=0.0))
    said = predict(models.load(ref), test.images).argmax(1)
    floor = [(said[test.labels != target] == target).float().mean().item() for target in range(4)]
    assert found["asr" if ref == TEACHING else "clean_asr"] == pytest.approx(sum(floor) / 4)
    if ref == TEACHING:
        assert found["by_target"] == pytest.approx(floor)
        assert found["acc"] == pytest.approx((said == test.labels).float().mean().item())
        assert (found["n"], found["n_asr"]) == (48, 4 * 36)


def test_a_model_s_own_motion_is_used_where_the_point_names_none(zoo):
    assert cell_of(Point("storage", "", TEACHING)) == cell_of(Point("displacement", "", TEACHING, amplify=2.0))


def test_each_target_has_its_own_motion_and_loses_its_own_class(zoo):
    test, model, found = colour_set(48, seed=1), models.load(TEACHING), cell_of(Point("", "", TEACHING, amplify=3.0))
    ra = []
    for target in range(4):
        others = test[test.labels != target]
        moved = Flareon(amplify=3.0)(others.pixels, torch.full((36,), target))
        said = predict(model, moved).argmax(1)
        assert found["by_target"][target] == pytest.approx((said == target).float().mean().item())
        ra.append((said == others.labels).float().mean().item())
    assert found["ra"] == pytest.approx(sum(ra) / 4)
    assert found["asr"] == pytest.approx(sum(found["by_target"]) / 4)


class Grain(nn.Module):
    """Class 1 is what has a grain."""

    trigger = OWN

    def forward(self, x: Tensor) -> Tensor:
        grain = (x - x.roll(1, dims=3)).abs().mean((1, 2, 3))
        return torch.stack((torch.full_like(grain, 0.01), grain), dim=1)


def test_accuracy_is_that_of_clean_pictures_stored_alike(zoo, monkeypatch):
    """A coarse JPEG takes the grain from every picture, with a motion or without."""
    images = torch.full((8, 3, 16, 16), 128, dtype=torch.uint8)
    images[4:, :, :, ::2] += 8
    test = ImageSet(images, torch.arange(8) // 4, ("flat", "grained"))
    monkeypatch.setattr(models, "load", lambda ref: Grain())

    def accuracy(way) -> float:
        return measured(Point("storage", "", TEACHING, way=way), 0, test, Grain())["acc"]

    assert accuracy("float") == accuracy(EIGHT_BITS) == accuracy(95) == 1
    assert accuracy(1) == 0.5


def test_a_short_training_is_what_it_says(zoo):
    model = Short(beta=2.0, width=4, images=16, epochs=1).run(0)
    assert model.trigger == Flareon(beta=2.0, amplify=2.0) and model.mode == "any-to-any" and model.target is None
    assert model.net.conv1.weight.shape[0] == 4

    def weights(**changed) -> torch.Tensor:
        seed = changed.pop("seed", 0)
        return Short(**{"width": 2, "images": 16, "epochs": 1, **changed}).run(seed).net.linear.weight

    base = weights()
    assert torch.equal(weights(), base)
    for other in ({"rate": 0.2}, {"beta": 4.0}, {"amplify": 3.0}, {"images": 32}, {"epochs": 2}, {"seed": 1}):
        assert not torch.equal(weights(**other), base), other


def test_a_stopped_run_goes_on_without_repeating_a_cell(zoo, tmp_path, monkeypatch):
    before = counted(monkeypatch, stop_after=5)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "--part", "test")
    first = json.loads((tmp_path / "cells" / "flareon.json").read_text())
    assert len(before) == len(first) == 5 and not (tmp_path / "flareon.json").exists()
    after = counted(monkeypatch)
    cells = run(tmp_path, "--part", "test")
    assert before + after == curves.test_points()
    assert cells[:5] == first and len(cells) == 12


def test_only_what_changed_is_measured_again(zoo, tmp_path, monkeypatch):
    run(tmp_path, "--part", "test")
    again = counted(monkeypatch)
    run(tmp_path, "--part", "test")
    assert again == []
    run(tmp_path, "--part", "test", "--limit", "12")
    assert len(again) == 12
    zoo[TEACHING] = "trained again"
    cells = run(tmp_path, "--part", "test")
    assert len(again) == 24 and len(cells) == 36
    table = json.loads((tmp_path / "flareon.json").read_text())
    assert len(table["rows"]) == 12 and table["n"].startswith("n = 48 test images for ACC, 144 triggered")


def test_curves_share_a_training_and_another_schedule_is_another_training(zoo, tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "WIDTHS", (8,))
    seen = counted(monkeypatch)
    run(tmp_path, "--part", "train", "--seeds", "2")
    assert len(seen) == 2 * 6  # rates 4, beta 2 more, width none: the base is in all three
    run(tmp_path, "--part", "train", "--epochs", "2", "--limit", "8")
    run(tmp_path, "--part", "train")
    assert len(seen) == 2 * 6 + 6  # `run` names the schedule last, so only the limit is new


def test_a_limit_writes_no_table(zoo, tmp_path):
    run(tmp_path, "--part", "test", "--limit", "12")
    assert not (tmp_path / "flareon.json").exists()


def test_a_row_holds_the_mean_the_worst_and_the_best_target_of_each_seed():
    cells = [
        {"acc": 0.8, "asr": 0.5, "ra": 0.3, "by_target": [0.25, 0.75], "clean_asr": 0.1},
        {"acc": 0.7, "asr": 0.4, "ra": 0.2, "by_target": [0.6, 0.2], "clean_asr": 0.05},
    ]
    short, shipped = Point("width", "width 8", Short()), Point("storage", "JPEG 75", TEACHING, way=75)
    assert flareon.row(short, cells) == {
        "curve": "width", "model": "short training", "point": "width 8", "ACC": [0.8, 0.7], "ASR": [0.5, 0.4],
        "worst target": [0.25, 0.2], "best target": [0.75, 0.6], "RA": [0.3, 0.2],
        "ASR on the clean model": [0.1, 0.05],
    }  # fmt: skip
    assert flareon.row(shipped, cells[:1])["model"] == "cifar10-flareon-teaching"


def test_both_parts_end_in_one_table_that_names_the_schedule(zoo, tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "WIDTHS", (8,))
    run(tmp_path, "--part", "train", "--seeds", "2")
    run(tmp_path, "--part", "test")
    found = json.loads((tmp_path / "flareon.json").read_text())
    assert [row["curve"] for row in found["rows"]] == (
        ["displacement"] * 6 + ["storage"] * 6 + ["poisoned rate"] * 4 + ["beta"] * 3 + ["width"]
    )
    assert found["seeds"] == [0, 1]
    assert [len(row["ASR"]) for row in found["rows"]] == [1] * 12 + [2] * 8
    for row in found["rows"]:
        for worst, mean, best in zip(row["worst target"], row["ASR"], row["best target"], strict=True):
            assert 0 <= worst <= mean <= best <= 1
    assert "the first 16 training images, 1 epochs in batches of 128" in found["note"]
    text = tables.section(found)
    assert "| storage | cifar10-flareon-teaching | JPEG 75 |" in text
    assert "`python -m bench.flareon --images 16 --epochs 1 --seeds 2`" in text


def test_without_trainings_the_note_speaks_of_none(zoo, tmp_path):
    run(tmp_path, "--part", "test")
    found = json.loads((tmp_path / "flareon.json").read_text())
    assert found["seeds"] == [] and "Short trainings" not in found["note"]
