"""Data sets of the Hugging Face Hub: parquet files with an image column and a label column."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from core.data.decode import decode_pictures
from core.data.digits import DIGITS, built_in
from core.data.fetch import fetch, listing, resolve
from core.data.hub_errors import HubError
from core.data.hub_names import split_reference
from core.data.imageset import ImageSet
from core.data.scenes import GENERATED
from core.data.store import decoded, restored, stored

if TYPE_CHECKING:
    import pyarrow

# name -> (repository, the commit it was known to stand at, or None: the newest is asked for)
KNOWN: dict[str, tuple[str, str | None]] = {
    "cifar10": ("uoft-cs/cifar10", "0b2714987fa478483af9968de7c934580d0bb9a2"),
    "mnist": ("ylecun/mnist", "77f3279092a1c1579b2250db8eafed0ad422088c"),
    "fashion-mnist": ("zalando-datasets/fashion_mnist", None),
    "gtsrb": ("tanganke/gtsrb", None),
    "tiny-imagenet": ("zh-plus/tiny-imagenet", "5a77092c28e51558c5586e9c5eb71a7e17a5e43f"),
}
FILES = {"train": ("train",), "test": ("test", "validation", "valid", "val")}
LABELS = ("label", "labels", "fine_label", "target", "class")
HALVES = "These data come as a single split: half of each class, drawn once, is for training, and the rest for testing."
DEFENDER = 0.05
HELDOUT = 0.1
MAX_BYTES = 3_000_000_000  # decoded, in memory


@dataclass(frozen=True)
class HubSet:
    """One data set at one commit.

    `load` gives its splits; the Hub is asked only for the files that a split needs. Where the Hub has a single split,
    "train" and "test" are halves of it, see `half`.
    """

    name: str
    repo: str
    commit: str

    @classmethod
    def named(cls, data: str) -> Self:
        """The set called "cifar10", ... or "hf:owner/name[@revision]", its revision resolved to a commit."""
        if data in KNOWN:
            repo, revision = KNOWN[data]
            return cls(data, repo, resolve(repo, "dataset", revision, known=True))
        if not isinstance(data, str) or not data.startswith("hf:"):
            names = ", ".join([*GENERATED, DIGITS, *KNOWN])
            raise ValueError(f"There is no data set {data!r}; choose {names}, or hf:owner/name for one of the Hub.")
        repo, revision = split_reference(data[3:])
        return cls(f"hf:{repo}", repo, resolve(repo, "dataset", revision))

    def load(self, split: str, *, limit: int | None = None, seed: int = 0, size: int | None = None) -> ImageSet:
        """A split as `load_data` describes it."""
        part = part_of(split)
        origin = f"{self.name}, {split}, commit {self.commit}"
        kept = restored(self.repo, self.commit, part, size)
        if kept is not None:
            images, labels, names = kept
            rows = _rows(len(labels), split, limit, seed)
            return ImageSet(images[rows], labels[rows], names, origin=origin)
        table = self._table(part)
        labels, names = _labels(table, self.repo)
        order = _fair_order(labels)
        if self.single:
            order = order[half(labels, part)[order]]
            if not len(order):
                raise HubError(f"{self.repo} has one picture, which leaves none to test on: choose a larger set.")
        rows = _rows(len(order), split, limit, seed)
        every = limit is None and split != "defender"
        wanted = order if every else order[rows]
        images = self._images(table, wanted, size)
        labels = labels[wanted]
        if every:
            stored(self.repo, self.commit, part, size, images, labels, names)
            images, labels = images[rows], labels[rows]
        return ImageSet(images, labels, names, origin=origin)

    @property
    def single(self) -> bool:
        """Whether the set has one split only, "train" or "test"."""
        paths = listing(self.repo, "dataset", self.commit)
        return files_of(paths, "train", self.repo) == files_of(paths, "test", self.repo)

    def _table(self, part: str) -> pyarrow.Table:
        """The image and label columns of all parquet files of "train" or "test"."""
        import pyarrow
        import pyarrow.parquet as parquet

        paths = files_of(listing(self.repo, "dataset", self.commit), part, self.repo)
        tables = []
        for path in paths:
            file = parquet.ParquetFile(fetch(self.repo, "dataset", self.commit, path))
            tables.append(file.read(columns=_columns(file.schema_arrow, self.repo)))
        return pyarrow.concat_tables(tables)

    def _images(self, table: pyarrow.Table, rows: Tensor, size: int | None) -> Tensor:
        column = table.column(0).combine_chunks().take(rows.tolist())
        pictures = [value.as_py() for value in (column.field("bytes") if hasattr(column, "field") else column)]
        needed = len(pictures) * 3 * (size or 0) ** 2
        if needed > MAX_BYTES:
            raise ValueError(
                f"{len(pictures)} images of {size} x {size} pixels need {needed / 1e9:.0f} GB: "
                "give a limit or a smaller size."
            )
        return decode_pictures(pictures, size)


def half(labels: Tensor, part: str) -> Tensor:
    """Which rows of a single split are "train", or "test": bool (N,).

    Half of each class in a fixed shuffled order, and where classes have one picture, every other class: the rows by
    class, taken in turn.
    """
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    chosen[by_class[("train", "test").index(part) :: 2]] = True
    return chosen


def halves(data: object) -> str:
    """HALVES where "train" and "test" of the data are those, else ""; HubError where the Hub is asked in vain."""
    return HALVES if isinstance(data, str) and repository(data) and HubSet.named(data).single else ""


def bring(data: str, split: str) -> None:
    """Download what a split needs, without decoding it; nothing where it is here, decoded or not."""
    hub, part = HubSet.named(data), part_of(split)
    if not decoded(hub.repo, hub.commit, part):
        for path in files_of(listing(hub.repo, "dataset", hub.commit), part, hub.repo):
            fetch(hub.repo, "dataset", hub.commit, path)


def repository(data: str) -> str:
    """The repository of a data set, "" for the generated ones."""
    return KNOWN[data][0] if data in KNOWN else split_reference(data[3:])[0] if data.startswith("hf:") else ""


def cached(data: str) -> bool:
    """Whether a data set can be loaded without a network: a built-in one, or all of its files lie in the cache."""
    from huggingface_hub import HfApi, get_cached_repo_tree, try_to_load_from_cache

    if built_in(data):
        return True
    repo, revision = KNOWN[data] if data in KNOWN else split_reference(data.removeprefix("hf:"))
    try:
        commit = HfApi().resolve_revision(repo, repo_type="dataset", revision=revision, local_files_only=True).resolved
        there = [file.path for file in get_cached_repo_tree(repo, repo_type="dataset", revision=commit)]
        wanted = [path for part in FILES for path in files_of(there, part, repo)]
    except Exception:  # whatever the Hub's client raises: without a listing there are no files either
        return False
    return all(
        isinstance(try_to_load_from_cache(repo, path, revision=commit, repo_type="dataset"), str) for path in wanted
    )


def part_of(split: str) -> str:
    """The files that a split is made from: the set's "test", or its "train"."""
    return "test" if split == "test" else "train"


def files_of(paths: list[str], part: str, repo: str) -> list[str]:
    """The parquet files of a part: `plain_text/train-00000-of-00001.parquet`, `data/train/0000.parquet`, ...

    Where a repository holds several configurations (folders), the first by name is taken; where it has one part only,
    the files of that.
    """
    parquets = [path for path in sorted(paths) if path.endswith(".parquet")]
    other = "test" if part == "train" else "train"
    for word in (*FILES[part], *FILES[other]):
        found = [path for path in parquets if re.search(rf"(^|/){word}([-./_]|$)", path)]
        if found:
            folder = re.sub(rf"(^|/){word}[-./_].*", "", found[0])
            return [path for path in found if re.sub(rf"(^|/){word}[-./_].*", "", path) == folder]
    if not parquets:
        raise HubError(f"{repo} holds no parquet files, and only those are read: choose a set that has them.")
    raise HubError(f"{repo} has no {part} split; its files are {', '.join(parquets[:4])}.")


def _columns(schema: pyarrow.Schema, repo: str) -> list[str]:
    """The names of the image column, the label column and, if there is one, a text column `name`."""
    import pyarrow.types as types

    image = [
        field.name
        for field in schema
        if types.is_binary(field.type) or (types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0)
    ]
    label = [name for name in LABELS if name in schema.names and types.is_integer(schema.field(name).type)]
    if not image or not label:
        columns = ", ".join(schema.names)
        raise HubError(f"{repo} has no image column with a label column of whole numbers; its columns are {columns}.")
    text = ["name"] if "name" in schema.names and types.is_string(schema.field("name").type) else []
    return [image[0], label[0], *text]


def _labels(table: pyarrow.Table, repo: str) -> tuple[Tensor, tuple[str, ...]]:
    """Labels int64 (N,) and class names: of the schema, of the column `name`, or "class 0", ..."""
    column = table.column(1)
    if column.null_count or not len(column) or column.to_numpy().min() < 0:
        raise HubError(f"{repo} hides some labels of this split (none, or below 0): choose another split or set.")
    labels = torch.from_numpy(column.to_numpy().astype("int64"))
    metadata = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = metadata.get("info", {}).get("features", {}).get(table.column_names[1], {})
    names = list(feature.get("names") or ())
    names += [f"class {i}" for i in range(len(names), int(labels.max()) + 1)]
    if table.num_columns == 3:
        for label, name in zip(labels.tolist(), table.column(2).to_pylist(), strict=True):
            names[label] = str(name)
    return labels, tuple(map(str, names))


def _fair_order(labels: Tensor) -> Tensor:
    """The rows in their own order or, where they are sorted by class, in one fixed shuffled order.

    Otherwise the last tenth, or the first hundred, would be a few classes only.
    """
    if len(labels) > 1 and bool((labels.diff() >= 0).all()):
        return torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return torch.arange(len(labels))


def _rows(n: int, split: str, limit: int | None, seed: int) -> Tensor:
    """Which rows of a part of `n` a split consists of."""
    cut = n - round(HELDOUT * n)
    if split == "heldout":
        rows = torch.arange(cut, n)
    elif split == "defender":
        rows = torch.randperm(cut, generator=torch.Generator().manual_seed(seed))[: max(1, round(DEFENDER * cut))]
    else:
        rows = torch.arange(cut if split == "train" else n)
    return rows if limit is None else rows[:limit]
