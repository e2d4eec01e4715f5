"""What a model or data set of the Hugging Face Hub is called: owner/name, with a revision, or its web address."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from core.data.hub_errors import HubError

HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
DATASETS = "datasets/"
ADDRESS = re.compile(r"/(datasets/)?([\w.-]+/[\w.-]+)(?:/(?:tree|blob|resolve|commit)/([^/]+)(?:/.*)?)?/?")


def split_reference(text: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of "owner/name[@revision]"."""
    name, _, revision = text.partition("@")
    if name.startswith(DATASETS):
        raise HubError(f"{name.removeprefix(DATASETS)} is a data set of the Hub, not a model: choose it under Data.")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or ".." in name or "--" in name:
        raise HubError(f"{name!r} is not a name on the Hugging Face Hub; those look like owner/name.")
    return name, revision or None


def from_address(text: str, kind: str) -> str:
    """The name, "hf:owner/name[@revision]", in a web address of the Hub: https://huggingface.co/owner/name/tree/main.

    A text that is no such address comes back as it is. Where a "model" is asked for, a data set keeps its "datasets/",
    which `split_reference` refuses with what to do.
    """
    address = urlsplit(text.strip())
    if address.scheme not in ("http", "https") or address.netloc not in _hosts():
        return text
    found = ADDRESS.fullmatch(address.path)
    if found is None:
        return text
    shelf, name, revision = found.groups()
    head = DATASETS if shelf and kind == "model" else ""
    return f"hf:{head}{name}" + (f"@{unquote(revision)}" if revision else "")


def _hosts() -> tuple[str, ...]:
    """The hosts of the Hub, and of the mirror that HF_ENDPOINT names."""
    from huggingface_hub import constants

    return (*HOSTS, urlsplit(constants.ENDPOINT).netloc)
