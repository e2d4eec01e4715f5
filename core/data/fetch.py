"""Files from the Hugging Face Hub, each pinned to a commit, each failure in one sentence.

`HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` mean what they mean to huggingface_hub. What lies in
its cache needs no network.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from core.data.hub_errors import HubError, broken_off, sentences
from core.data.hub_names import split_reference
from core.data.transfers import Silent, noted

CHUNK = 2**18
"""Bytes after which a download is counted; the client's own 10 MB are all of many models."""

COMMIT = re.compile(r"[0-9a-f]{40}")


@functools.lru_cache(maxsize=256)
def resolve(repo: str, kind: str, revision: str | None = None, *, known: bool = False) -> str:
    """The commit (40 hex digits) a revision stands for, asked once per process.

    `known` marks a default of ours: where a Hub (a mirror, a local one) does not have that commit,
    its newest one is taken instead.
    """
    from huggingface_hub import HfApi, get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, RevisionNotFoundError

    if revision is None or not COMMIT.fullmatch(revision):
        with sentences(repo, kind, revision):
            return HfApi().resolve_revision(repo, repo_type=kind, revision=revision).resolved
    try:
        get_cached_repo_tree(repo, repo_type=kind, revision=revision)
        return revision
    except CachedRepoTreeNotFoundError:
        pass
    with sentences(repo, kind, revision):
        try:
            HfApi().repo_info(repo, repo_type=kind, revision=revision, timeout=10)
            return revision
        except RevisionNotFoundError:
            if not known:
                raise
            return HfApi().resolve_revision(repo, repo_type=kind).resolved
        except Exception:
            if not known:
                raise
            # Without the Hub, a copy that a mirror left in the cache under another commit still serves.
            return HfApi().resolve_revision(repo, repo_type=kind, local_files_only=True).resolved


def pinned(ref: str, kind: str) -> str:
    """A name "hf:owner/name[@revision]" with the commit that its revision stands for."""
    repo, revision = split_reference(ref.removeprefix("hf:"))
    return ref if revision and COMMIT.fullmatch(revision) else f"hf:{repo}@{resolve(repo, kind, revision)}"


def listing(repo: str, kind: str, commit: str) -> list[str]:
    """The paths of all files of a repository at a commit."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        return [file.path for file in get_cached_repo_tree(repo, repo_type=kind, revision=commit)]
    except CachedRepoTreeNotFoundError:
        with sentences(repo, kind, commit):
            # This keeps the listing in the cache; the README comes along for its licence.
            snapshot_download(repo, repo_type=kind, revision=commit, allow_patterns=["README.md"], tqdm_class=Silent)
            return [file.path for file in get_cached_repo_tree(repo, repo_type=kind, revision=commit)]


def fetch(repo: str, kind: str, commit: str, path: str, *, cap: int | None = None) -> Path:
    """The local path of one file; nothing is asked of the Hub when the cache has it.

    A file enters the cache when all of it is there, so that one which broke off is never read; `core.data.transfers`
    tells how far it is. Raises HubError before downloading a file of more than `cap` bytes.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import LocalEntryNotFoundError

    with sentences(repo, kind, commit, path):
        try:
            local = hf_hub_download(repo, path, repo_type=kind, revision=commit, local_files_only=True)
            _within(cap, Path(local).stat().st_size, repo, path)
            return Path(local)
        except LocalEntryNotFoundError:
            pass
        # Asking for the size first also finds out at once, without retries, whether there is a network.
        about = get_hf_file_metadata(hf_hub_url(repo, path, repo_type=kind, revision=commit), timeout=10)
        size = about.size or 0
        _within(cap, size, repo, path)
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK
    with broken_off(repo, kind, path), noted(repo, path, size) as counter:
        return Path(hf_hub_download(repo, path, repo_type=kind, revision=commit, tqdm_class=counter))


def _within(cap: int | None, size: int, repo: str, path: str) -> None:
    if cap is not None and size > cap:
        raise HubError(f"{path} of {repo} has {size / 1e6:.0f} MB, more than the {cap / 1e6:.0f} MB allowed here.")
