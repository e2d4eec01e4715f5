"""Names of the Hub: owner/name, revisions, and web addresses."""

from __future__ import annotations

import pytest

from core.data.hub_errors import HubError
from core.data.hub_names import from_address, split_reference

SHA = "a" * 40


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://huggingface.co/owner/name", "hf:owner/name"),
        (" https://hf.co/owner/name/ ", "hf:owner/name"),
        (f"https://huggingface.co/owner/name.x/tree/{SHA}", f"hf:owner/name.x@{SHA}"),
        ("https://huggingface.co/owner/name/tree/main?library=timm#top", "hf:owner/name@main"),
        ("https://huggingface.co/owner/name/blob/v1/config.json", "hf:owner/name@v1"),
        ("https://huggingface.co/owner/name/tree/refs%2Fpr%2F1", "hf:owner/name@refs/pr/1"),
        ("https://huggingface.co/datasets/owner/set/tree/main/data", "hf:datasets/owner/set@main"),
        ("https://example.org/owner/name", "https://example.org/owner/name"),
        ("https://huggingface.co/models", "https://huggingface.co/models"),
        ("hf:owner/name", "hf:owner/name"),
    ],
)
def test_the_address_of_a_model(typed: str, meant: str) -> None:
    assert from_address(typed, "model") == meant


def test_the_address_of_a_data_set_and_of_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_address(f"https://huggingface.co/datasets/owner/set/tree/{SHA}", "dataset") == f"hf:owner/set@{SHA}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:8765")
    assert from_address("http://127.0.0.1:8765/owner/name/tree/main", "model") == "hf:owner/name@main"


def test_a_data_set_where_a_model_is_asked_for() -> None:
    with pytest.raises(HubError, match="owner/set is a data set of the Hub, not a model: choose it under Data"):
        split_reference("datasets/owner/set@main")
