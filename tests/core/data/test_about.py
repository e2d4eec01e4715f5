"""What is known about a data set before it is downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.data import load_data
from core.data.about import _about, about, of_card
from core.data.hub_errors import HubError
from core.data.hub_search import search
from tests.core.data.test_hub import CIFAR, write
from tests.support.hubs import NOWHERE, local_hub, point_at
from tests.support.local_hub import HubServer

CARD = """---
license: mit
task_categories:
- image-classification
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': crane
          '1': tench
  splits:
  - name: train
    num_examples: 7
---
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "hub"
    for name, names in (("a/carded", None), ("a/named", ["x", "y", "z"]), ("a/plain", None)):
        write(root, name, "test.parquet", [i % 3 * 20 for i in range(300)], names=names)
    (root / "datasets" / "a" / "carded" / "README.md").write_text(CARD)
    return root


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[HubServer]:
    _about.cache_clear()
    with local_hub(root, tmp_path / "home") as hub:
        yield hub
    _about.cache_clear()


def pictures(server: HubServer) -> list[str]:
    return [request for request in server.requests if "parquet" in request]


def test_a_card_names_classes_and_rows_and_no_picture_is_asked_for(server: HubServer) -> None:
    found = about("hf:a/carded")
    assert (found.class_names, found.classes, found.rows) == (("crane", "tench"), 2, (("train", 7),))
    assert pictures(server) == []
    server.requests.clear()
    assert about("hf:a/carded") == found and server.requests == []


def test_without_a_card_the_footer_of_the_first_file_tells(server: HubServer) -> None:
    assert about("hf:a/named").class_names == ("x", "y", "z")
    plain = about("hf:a/plain")
    assert plain.class_names == () and plain.classes == 41  # the largest label is 40
    assert not any("HEAD" in request for request in pictures(server))


def test_what_lies_in_the_cache_is_known_without_a_network(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_data("hf:a/named", "test")
    _about.cache_clear()
    point_at(monkeypatch, NOWHERE, tmp_path / "home")
    assert about("hf:a/named").class_names == ("x", "y", "z")
    with pytest.raises(HubError, match="cannot be reached"):
        about("cifar10")


@pytest.mark.parametrize(
    "card", [{}, {"dataset_info": None}, {"dataset_info": []}, {"dataset_info": {"features": "x", "splits": 3}},
             {"dataset_info": [{"features": [{"name": "label", "dtype": {"class_label": {}}}, 4]}]}],
)  # fmt: skip
def test_an_odd_card_says_nothing(card: dict) -> None:
    assert of_card(card) == of_card({})


def test_a_search_for_data_sets_tells_their_cards(server: HubServer) -> None:
    (found,) = search("carded", "dataset", ["task_categories:image-classification"], 5)
    assert found.licence == "mit" and of_card(found.card).class_names == ("crane", "tench")
    assert found.ref == f"hf:a/carded@{found.commit}" and "test.parquet" in found.files
    assert search("carded", "dataset", ["task_categories:text-classification"], 5) == []


def test_the_known_names_are_looked_up_like_any_other(root: Path, tmp_path: Path) -> None:
    write(root, CIFAR, "plain_text/test-00000-of-00001.parquet", [0, 1], names=["airplane", "automobile"])
    _about.cache_clear()
    with local_hub(root, tmp_path / "home"):
        assert about("cifar10").class_names == ("airplane", "automobile")
