"""Files from the Hugging Face Hub, each pinned to a commit, each failure in one sentence.

`HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` mean what they mean to huggingface_hub. What lies in
its cache needs no network.
"""

from __future__ import annotations

import errno
import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from tqdm.auto import tqdm

COMMIT = re.compile(r"[0-9a-f]{40}")
INSTEAD = {"dataset": "choose Scenes, which needs no network", "model": "choose a model that ships with the lab"}
NOUN = {"dataset": "data set", "model": "model"}


class HubError(ValueError):
    """Something on the Hub is not available; the message says what and what to do."""


def split_reference(text: str) -> tuple[str, str | None]:
    """("owner/name", revision or None) of "owner/name[@revision]"."""
    name, _, revision = text.partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or ".." in name or "--" in name:
        raise HubError(f"{name!r} is not a name on the Hugging Face Hub; those look like owner/name.")
    return name, revision or None


@functools.lru_cache(maxsize=256)
def resolve(repo: str, kind: str, revision: str | None = None, *, known: bool = False) -> str:
    """The commit (40 hex digits) a revision stands for, asked once per process.

    `known` marks a default of ours: where a Hub (a mirror, a local one) does not have that commit,
    its newest one is taken instead.
    """
    from huggingface_hub import HfApi, get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, RevisionNotFoundError

    if revision is None or not COMMIT.fullmatch(revision):
        with _sentences(repo, kind, revision):
            return HfApi().resolve_revision(repo, repo_type=kind, revision=revision).resolved
    try:
        get_cached_repo_tree(repo, repo_type=kind, revision=revision)
        return revision
    except CachedRepoTreeNotFoundError:
        pass
    with _sentences(repo, kind, revision):
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


def listing(repo: str, kind: str, commit: str) -> list[str]:
    """The paths of all files of a repository at a commit."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        return [file.path for file in get_cached_repo_tree(repo, repo_type=kind, revision=commit)]
    except CachedRepoTreeNotFoundError:
        with _sentences(repo, kind, commit):
            # This keeps the listing in the cache; the README comes along for its licence.
            snapshot_download(repo, repo_type=kind, revision=commit, allow_patterns=["README.md"], tqdm_class=_NoBar)
            return [file.path for file in get_cached_repo_tree(repo, repo_type=kind, revision=commit)]


def fetch(repo: str, kind: str, commit: str, path: str, *, cap: int | None = None) -> Path:
    """The local path of one file; nothing is asked of the Hub when the cache has it.

    Raises HubError before downloading a file of more than `cap` bytes.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import LocalEntryNotFoundError

    with _sentences(repo, kind, commit, path):
        try:
            local = hf_hub_download(repo, path, repo_type=kind, revision=commit, local_files_only=True)
            _within(cap, Path(local).stat().st_size, repo, path)
            return Path(local)
        except LocalEntryNotFoundError:
            pass
        # Asking for the size first also finds out at once, without retries, whether there is a network.
        about = get_hf_file_metadata(hf_hub_url(repo, path, repo_type=kind, revision=commit), timeout=10)
        _within(cap, about.size or 0, repo, path)
        return Path(hf_hub_download(repo, path, repo_type=kind, revision=commit))


class _NoBar(tqdm):
    """A progress bar that does not show."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "disable": True})


def _within(cap: int | None, size: int, repo: str, path: str) -> None:
    if cap is not None and size > cap:
        raise HubError(f"{path} of {repo} has {size / 1e6:.0f} MB, more than the {cap / 1e6:.0f} MB allowed here.")


@contextmanager
def _sentences(repo: str, kind: str, revision: str | None, path: str = "") -> Iterator[None]:
    """Whatever huggingface_hub raises inside the block, as a HubError of one sentence."""
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        _explain(error, repo, kind, revision, path)


def _explain(error: Exception, repo: str, kind: str, revision: str | None, path: str) -> NoReturn:
    from huggingface_hub import errors

    name = f"the {NOUN[kind]} {repo}" if repo else "a list of models"
    if isinstance(error, errors.GatedRepoError):
        said = f"{repo} is gated: accept its terms on the Hub and log in with `hf auth login`, or choose another one."
    elif isinstance(error, errors.RepositoryNotFoundError):
        said = f"There is no {NOUN[kind]} {repo} on the Hub, or it is private: check the name."
    elif isinstance(error, errors.RevisionNotFoundError):
        said = f"{repo} has no revision {revision}: leave it out for the newest one, or give another."
    elif isinstance(error, errors.RemoteEntryNotFoundError):
        said = f"{repo} has no file {path}."
    elif isinstance(error, errors.HFValidationError):
        said = f"{repo!r} is not a name on the Hugging Face Hub; those look like owner/name."
    elif isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        said = f"The Hub answered {error.response.status_code} when asked for {name}: try again later."
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
        said = f"There is no room for {name} in the cache ({error.strerror}): set HF_HOME to another folder."
    elif isinstance(error, (OSError, errors.RevisionResolutionError)) or type(error).__module__.startswith("http"):
        said = (
            f"{name[0].upper()}{name[1:]} is not in the cache and the Hub cannot be reached: connect once, or "
            f"{INSTEAD[kind]}."
            if repo
            else f"The Hub cannot be reached, so there is nothing to search: connect, or {INSTEAD[kind]}."
        )
    else:
        raise error
    raise HubError(said) from error


def search(text: str, tags: tuple[str, ...], *, needs: tuple[str, ...], limit: int) -> list[tuple[str, str, list[str]]]:
    """(owner/name, commit, tags) of models with all `tags` that hold all the files `needs`."""
    from huggingface_hub import HfApi, constants, get_session

    with _sentences("", "model", None):
        # `list_models` tries for half a minute before it says that there is no network; this says it at once.
        get_session().get(f"{constants.ENDPOINT}/api/models", params={"limit": 1}, timeout=10)
        found = []
        for info in HfApi().list_models(search=text, filter=list(tags), full=True, limit=4 * limit):
            files = {sibling.rfilename for sibling in info.siblings or ()}
            if files.issuperset(needs) and info.sha and not info.gated:
                found.append((info.id, info.sha, list(info.tags or ())))
        return found[:limit]
