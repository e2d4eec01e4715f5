"""What is known about a data set before its pictures are downloaded: classes, rows, licence."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.data.fetch import listing
from core.data.hub import LABELS, HubSet, files_of
from core.data.hub_errors import sentences


@dataclass(frozen=True)
class About:
    """What the card of a data set, or the footer of its first file, says.

    class_names : () where nobody says; classes : their number, 0 where nobody says
    rows : split -> number of rows
    """

    class_names: tuple[str, ...] = ()
    classes: int = 0
    rows: tuple[tuple[str, int], ...] = ()


def about(data: str) -> About:
    """What is known about a data set of the Hub; a few kilobytes are asked for where its card is not in the cache.

    Raises HubError where there is no such set, or no network and nothing in the cache.
    """
    hub = HubSet.named(data)
    return _about(hub.repo, hub.commit)


@functools.lru_cache(maxsize=64)
def _about(repo: str, commit: str) -> About:
    from huggingface_hub import metadata_load, try_to_load_from_cache

    paths = listing(repo, "dataset", commit)
    readme = try_to_load_from_cache(repo, "README.md", revision=commit, repo_type="dataset")
    found = of_card((metadata_load(readme) if isinstance(readme, str) else None) or {})
    return found if found.classes else _of_footer(repo, commit, files_of(paths, "test", repo)[0], found)


def of_card(card: Mapping[str, Any]) -> About:
    """What the metadata at the head of a README say: its `dataset_info`, the first where there are several."""
    info = card.get("dataset_info") or {}
    info = info[0] if isinstance(info, list) and info else info
    if not isinstance(info, dict):
        return About()
    rows = [(str(part.get("name")), part.get("num_examples")) for part in _dicts(info.get("splits"))]
    names: tuple[str, ...] = ()
    for feature in _dicts(info.get("features")):
        kind = feature.get("dtype")
        if feature.get("name") in LABELS and isinstance(kind, dict) and isinstance(kind.get("class_label"), dict):
            told = kind["class_label"].get("names") or {}
            names = tuple(str(name) for name in (told.values() if isinstance(told, dict) else told))
            break
    return About(names, len(names), tuple((name, n) for name, n in rows if isinstance(n, int)))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _of_footer(repo: str, commit: str, path: str, known: About) -> About:
    """The class names in a parquet file's schema, else the largest label; its pictures are not read."""
    import pyarrow.parquet as parquet
    from huggingface_hub import HfFileSystem, try_to_load_from_cache

    local = try_to_load_from_cache(repo, path, revision=commit, repo_type="dataset")
    with sentences(repo, "dataset", commit, path):
        if isinstance(local, str):
            file = parquet.read_metadata(local)
        else:
            hub = HfFileSystem(skip_instance_cache=True, use_listings_cache=False)
            with hub.open(f"datasets/{repo}@{commit}/{path}", block_size=2**16) as stream:
                file = parquet.read_metadata(stream)
    schema = file.schema.to_arrow_schema()
    label = next((name for name in LABELS if name in schema.names), "")
    features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    names = tuple(map(str, features.get(label, {}).get("names") or ()))
    return About(names, len(names) or _largest(file, label) + 1, known.rows)


def _largest(file: Any, label: str) -> int:
    """The largest label that the statistics of a file's row groups name, -1 where they name none."""
    found = [-1]
    for group in map(file.row_group, range(file.num_row_groups)):
        columns = [group.column(i) for i in range(group.num_columns)]
        told = [column.statistics for column in columns if column.path_in_schema == label and column.statistics]
        found += [int(each.max) for each in told if each.has_min_max]
    return max(found)
