"""Parquet sets of the Hub: which files, which rows, which pixels, and what is said when it fails."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from core.data import load_data
from core.data.hub import bring, halves, repository
from core.data.hub_errors import HubError
from tests.support.hubs import NOWHERE, local_hub, point_at
from tests.support.local_hub import HubServer

CIFAR = "uoft-cs/cifar10"


def picture(shade: int, mode: str = "RGB", size: tuple[int, int] = (8, 8), form: str = "PNG") -> bytes:
    """An encoded picture of one shade."""
    stream = io.BytesIO()
    Image.new(mode, size, shade if mode == "L" else (shade, 0, 255 - shade)).save(stream, form)
    return stream.getvalue()


def write(
    root: Path, repo: str, file: str, labels: list[int], pictures: list[bytes] | None = None, column: str = "image",
    names: list[str] | None = None, **more: list
) -> None:  # fmt: skip
    """One parquet file in the Hub's layout."""
    path = root / "datasets" / repo / file
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = pictures or [picture(i % 256) for i in range(len(labels))]
    table = pa.table({column: [{"bytes": data, "path": None} for data in pictures], "label": labels, **more})
    if names:
        about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
    pq.write_table(table, path)
    (root / "datasets" / repo / "README.md").write_text("---\nlicense: mit\n---\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    labels = [i * 7 % 10 for i in range(100)]
    root, names = tmp_path / "hub", [f"thing {i}" for i in range(10)]
    write(root, CIFAR, "plain_text/train-00000-of-00001.parquet", labels, column="img", names=names)
    write(root, CIFAR, "plain_text/test-00000-of-00001.parquet", labels[:20], column="img", names=names)
    return root


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[HubServer]:
    with local_hub(root, tmp_path / "home") as hub:
        yield hub


def shades(data) -> list[int]:
    """The red of every picture: which row it was."""
    return data.images[:, 0, 0, 0].tolist()


def test_splits_do_not_overlap(server: HubServer) -> None:
    train, heldout, test = (load_data("cifar10", split) for split in ("train", "heldout", "test"))
    assert (len(train), len(heldout), len(test)) == (90, 10, 20)
    assert shades(train) == list(range(90)) and shades(heldout) == list(range(90, 100))
    assert train.images.dtype == torch.uint8 and train.images.shape[1:] == (3, 8, 8)
    assert train.labels.tolist() == [i * 7 % 10 for i in range(90)]
    assert train.class_names == tuple(f"thing {i}" for i in range(10))


def test_a_defender_gets_five_percent_of_train_by_seed(server: HubServer) -> None:
    first, again, other = (load_data("cifar10", "defender", seed=seed) for seed in (0, 0, 1))
    assert len(first) == round(0.05 * 90) and shades(first) == shades(again) != shades(other)
    assert max(shades(first)) < 90 and len(set(shades(first))) == len(first)
    load_data("cifar10", "train")  # now it comes from the store
    assert shades(load_data("cifar10", "defender")) == shades(first)


def test_a_limit_gives_the_first_rows_whatever_is_cached(server: HubServer) -> None:
    few = load_data("cifar10", "heldout", limit=3)
    load_data("cifar10", "heldout")
    again = load_data("cifar10", "heldout", limit=3)
    assert shades(few) == shades(again) == [90, 91, 92] and few.origin == again.origin


def test_only_the_files_of_the_split_are_fetched(server: HubServer) -> None:
    load_data("cifar10", "test")
    assert any("test-00000" in request for request in server.requests)
    assert not any("train-00000" in request for request in server.requests)


def test_the_commit_is_named_and_pins(server: HubServer) -> None:
    origin = load_data("cifar10", "test").origin
    commit = origin.rsplit(" ", 1)[1]
    assert origin == f"cifar10, test, commit {commit}" and len(commit) == 40
    server.requests.clear()
    assert load_data(f"hf:{CIFAR}@{commit}", "test").origin == f"hf:{CIFAR}, test, commit {commit}"
    assert server.requests == []


def test_what_is_cached_needs_no_network(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_data("cifar10", "test")
    point_at(monkeypatch, NOWHERE, tmp_path / "home")
    assert torch.equal(load_data("cifar10", "test").images, before.images)
    with pytest.raises(HubError, match=r"uoft-cs/cifar10 is not in the cache .* connect once, or choose Scenes"):
        load_data("cifar10", "train")


def test_a_store_that_cannot_be_written_is_no_error(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "perturb-lab").write_text("in the way")
    assert len(load_data("cifar10", "test")) == len(load_data("cifar10", "test")) == 20


def test_a_broken_store_is_read_again_from_the_source(server: HubServer, tmp_path: Path) -> None:
    before = load_data("cifar10", "test")
    (file,) = (tmp_path / "home" / "perturb-lab").iterdir()
    file.write_bytes(b"broken")
    assert torch.equal(load_data("cifar10", "test").images, before.images)


def test_sets_sorted_by_class_are_shuffled_once(server: HubServer, root: Path) -> None:
    write(root, "a/sorted", "data/train-00000-of-00001.parquet", [i // 20 for i in range(100)])
    write(root, "a/sorted", "data/test-00000-of-00001.parquet", [0])
    train, heldout = load_data("hf:a/sorted", "train"), load_data("hf:a/sorted", "heldout")
    assert set(train.labels.tolist()) == set(range(5)) and len(set(heldout.labels.tolist())) > 2
    assert sorted(shades(train) + shades(heldout)) == list(range(100))
    assert train.labels.tolist() == [shade // 20 for shade in shades(train)]
    assert shades(load_data("hf:a/sorted", "train", limit=5)) == shades(train)[:5]
    assert train.class_names == tuple(f"class {i}" for i in range(5))


def test_shards_and_other_names_of_splits(server: HubServer, root: Path) -> None:
    for shard in range(2):
        pictures = [picture(10 * shard + i) for i in range(5)]
        write(root, "a/shards", f"data/valid-0000{shard}-of-00002.parquet", [1, 0, 2, 1, 0], pictures)
    write(root, "a/shards", "data/train-00000-of-00001.parquet", [0])
    write(root, "a/folders", "default/test/0000.parquet", [1, 0])
    write(root, "a/folders", "default/train/0000.parquet", [1, 0, 1])
    assert shades(load_data("hf:a/shards", "test")) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert len(load_data("hf:a/folders", "test")) == 2


def test_grey_pictures_become_rgb_and_are_resized(server: HubServer, root: Path) -> None:
    pictures = [picture(40 * i, "L", (28, 28)) for i in range(4)]
    write(root, "ylecun/mnist", "mnist/test-00000-of-00001.parquet", [1, 0, 3, 2], pictures)
    write(root, "ylecun/mnist", "mnist/train-00000-of-00001.parquet", [1, 0, 3, 2], pictures)
    assert load_data("mnist", "test").images.shape == (4, 3, 28, 28)
    data = load_data("mnist", "test", size=32)
    assert data.images.shape == (4, 3, 32, 32) and shades(data) == [0, 40, 80, 120]
    assert torch.equal(data.images[:, 0], data.images[:, 2])


def test_pictures_of_many_sizes_are_cropped_at_the_centre(server: HubServer, root: Path) -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = 255  # the central square
    stream = io.BytesIO()
    Image.fromarray(wide).save(stream, "PNG")
    pictures = [stream.getvalue(), picture(9, "L", (50, 90), "JPEG")]
    for part in ("test", "train"):
        write(root, "a/mixed", f"{part}.parquet", [30, 10], pictures, name=["crane", "goldfish"])
    data = load_data("hf:a/mixed", "test", size=32)
    assert data.images.shape == (2, 3, 32, 32) and int(data.images[0].min()) == 255
    assert data.class_names[30] == "crane" and data.class_names[10] == "goldfish" and data.class_names[0] == "class 0"
    assert load_data("hf:a/mixed", "test").images.shape[-1] == 224


def said(data: str, split: str = "test", **options) -> str:
    with pytest.raises(ValueError) as error:
        load_data(data, split, **options)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    return str(error.value)


def test_errors_are_one_sentence(server: HubServer, root: Path) -> None:
    stream = io.BytesIO()
    Image.effect_noise((32, 32), 50).save(stream, "PNG")
    noise = stream.getvalue()
    write(root, "a/hidden", "test.parquet", [-1, -1])
    write(root, "a/broken", "train.parquet", [0, 1])
    write(root, "a/broken", "test.parquet", [0, 1], [picture(1), b"no picture"])
    write(root, "a/cut", "train.parquet", [0, 1])
    write(root, "a/cut", "test.parquet", [0, 1], [picture(1), noise[: len(noise) // 2]])
    (root / "datasets" / "a" / "empty").mkdir()
    (root / "datasets" / "a" / "empty" / "README.md").write_text("nothing")
    write(root, "a/gated", "test.parquet", [0, 1])
    (root / "datasets" / "a" / "gated" / ".gated").touch()
    pq.write_table(pa.table({"text": ["x"], "label": [1]}), root / "datasets" / "a" / "empty" / "text.parquet")
    assert "choose scenes, scenes-biased, digits, cifar10" in said("cifar11")
    assert "no split 'validation'" in said("cifar10", "validation")
    assert "limit = 0" in said("cifar10", limit=0)
    assert "no data set a/nothing" in said("hf:a/nothing")
    assert "owner/name" in said("hf:nothing")
    assert "no revision v2" in said(f"hf:{CIFAR}@v2")
    assert "hides some labels" in said("hf:a/hidden")
    assert "Picture 1" in said("hf:a/broken") and "Picture 1" in said("hf:a/cut")
    assert "no test split" in said("hf:a/empty")
    assert "gated" in said("hf:a/gated")
    assert "GB" in said("cifar10", size=8000)


def test_columns_that_are_no_pictures(server: HubServer, root: Path) -> None:
    folder = root / "datasets" / "a" / "text"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"text": ["x"], "label": [1]}), folder / "test.parquet")
    assert "its columns are text, label" in said("hf:a/text")


def test_scenes_need_no_hub() -> None:
    from core.data import Scenes

    small = load_data("scenes", "test", limit=5, size=16)
    assert small.images.shape == (5, 3, 16, 16)
    assert torch.equal(small.images, load_data(Scenes(size=16), "test", limit=5).images)


def test_real_cifar10(shared_hub: Path, tmp_path: Path) -> None:
    with local_hub(shared_hub, tmp_path):
        train, heldout, test = (load_data("cifar10", split) for split in ("train", "heldout", "test"))
        defender = load_data("cifar10", "defender")
    assert (len(train), len(heldout), len(test), len(defender)) == (45_000, 5_000, 1_000, 2_250)
    assert test.labels.bincount().tolist() == [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]
    assert train.class_names[:2] == ("airplane", "automobile")
    scored = {row.numpy().tobytes() for part in (heldout, test) for row in part.images}
    assert not any(row.numpy().tobytes() in scored for row in defender.images)


def test_a_split_is_brought_without_being_decoded(server: HubServer, tmp_path: Path) -> None:
    bring("cifar10", "test")
    assert any("test-00000" in request for request in server.requests) and not (tmp_path / "home/perturb-lab").exists()
    server.requests.clear()
    load_data("cifar10", "test")
    bring("cifar10", "test")
    assert server.requests == []
    assert repository("cifar10") == CIFAR and repository("scenes") == "" and repository("hf:a/b@main") == "a/b"


def test_a_full_disk_leaves_nothing_half_written(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(tensors, file, metadata) -> None:
        Path(file).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    assert len(load_data("cifar10", "test")) == 20  # the decoded pictures are not kept, and that is all
    assert list((tmp_path / "home" / "perturb-lab").iterdir()) == []


def test_pictures_that_break_off_or_vanish_on_their_way(
    server: HubServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    name = "test-00000-of-00001.parquet"
    server.broken = (name,)
    assert "broke off, and nothing of it was kept" in said("cifar10")
    server.broken = ()
    server.vanishing.add(name)
    assert "was taken from the Hub" in said("cifar10")


@pytest.mark.parametrize("only", ["train", "test", "validation"])
def test_a_single_split_is_halved_by_class(server: HubServer, root: Path, only: str) -> None:
    labels = [0] * 6 + [1] * 4 + [2, 3, 4, 5]
    write(root, "a/single", f"data/{only}-00000-of-00001.parquet", labels, [picture(i) for i in range(len(labels))])
    train, held, test = (load_data("hf:a/single", split) for split in ("train", "heldout", "test"))
    known = [set(shades(part)) for part in (train, held, test)]
    assert len(train) + len(held) == len(test) == 7
    assert not known[0] & known[2] and not known[1] & known[2] and not known[0] & known[1]
    learned = torch.cat((train.labels, held.labels)).bincount(minlength=6).tolist()
    assert learned[:2] == test.labels.bincount(minlength=6).tolist()[:2] == [3, 2]
    assert sum(learned[2:]) == 2 and train.class_names == test.class_names
    again = load_data("hf:a/single", "test")  # as it is kept beside the Hub's cache
    assert shades(again) == shades(test)
    assert shades(load_data("hf:a/single", "test", limit=3)) == shades(test)[:3]
    assert "single split" in halves("hf:a/single") and halves("scenes") == halves("cifar10") == ""


def test_one_picture_leaves_none_to_test_on(server: HubServer, root: Path) -> None:
    write(root, "a/one", "train.parquet", [0])
    assert "one picture" in said("hf:a/one")
