"""Whatever goes wrong between here and the Hugging Face Hub, as one sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

INSTEAD = {"dataset": "choose Scenes, which needs no network", "model": "choose a model that ships with the lab"}
NOUN = {"dataset": "data set", "model": "model"}
ROOM = (errno.ENOSPC, errno.EDQUOT)
SHUT = (errno.EACCES, errno.EROFS)


class HubError(ValueError):
    """Something on the Hub is not available; the message says what and what to do."""


@contextmanager
def sentences(repo: str, kind: str, revision: str | None = None, path: str = "") -> Iterator[None]:
    """Whatever huggingface_hub raises inside the block, as a HubError of one sentence.

    repo : "" while searching; path : the file that is asked for, of a repository that has been listed before
    """
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        if path:
            _explain_gone(error, repo, kind)
        _explain(error, repo, kind, revision, path)


@contextmanager
def broken_off(repo: str, kind: str, path: str) -> Iterator[None]:
    """Around the transfer of a file: a connection that ends in its midst is said to have done so."""
    with sentences(repo, kind, path=path):
        try:
            yield
        except Exception as error:
            if _of_the_disk(error) or not _in_transit(error):
                raise
            raise HubError(
                f"The download of {path} of the {NOUN[kind]} {repo} broke off, and nothing of it was kept: try again, "
                f"or {INSTEAD[kind]}."
            ) from error


def _explain_gone(error: Exception, repo: str, kind: str) -> None:
    """Of a repository that was there a moment ago."""
    from huggingface_hub import errors

    gone = errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError
    if isinstance(error, gone) and not isinstance(error, errors.GatedRepoError):
        raise HubError(
            f"The {NOUN[kind]} {repo} was taken from the Hub, or changed, while it was being downloaded, so nothing of "
            f"it is used: choose another one."
        ) from error


def _explain(error: Exception, repo: str, kind: str, revision: str | None, path: str) -> NoReturn:
    from huggingface_hub import errors

    name = f"the {NOUN[kind]} {repo}" if repo else f"a list of {NOUN[kind]}s"
    if isinstance(error, errors.GatedRepoError):
        said = f"{repo} is gated: accept its terms on the Hub and log in with `hf auth login`, or choose another one."
    elif isinstance(error, errors.RepositoryNotFoundError):
        said = f"There is no {NOUN[kind]} {repo} on the Hub, or it is private: check the name."
    elif isinstance(error, errors.RevisionNotFoundError):
        said = f"{repo} has no revision {revision}: leave it out for the newest one, or give another."
    elif isinstance(error, errors.HFValidationError):
        said = f"{repo!r} is not a name on the Hugging Face Hub; those look like owner/name."
    elif isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        said = f"The Hub answered {error.response.status_code} when asked for {name}: try again later."
    elif _of_the_disk(error):
        said = f"There is no room for {name} in the cache: free some space, or set HF_HOME to a folder elsewhere."
    elif isinstance(error, OSError) and error.errno in SHUT:
        said = f"The cache cannot hold {name} ({error.strerror}): set HF_HOME to another folder."
    elif _of_the_network(error):
        said = (
            f"{name[0].upper()}{name[1:]} is not in the cache and the Hub cannot be reached: connect once, or "
            f"{INSTEAD[kind]}."
            if repo
            else f"The Hub cannot be reached, so there is nothing to search: connect, or {INSTEAD[kind]}."
        )
    else:
        raise error
    raise HubError(said) from error


def _of_the_disk(error: BaseException | None) -> bool:
    """Whether the disk is full: the error, or one that it was raised from, says so."""
    while error is not None:
        if (isinstance(error, OSError) and error.errno in ROOM) or "No space left" in str(error):
            return True
        error = error.__cause__
    return False


def _in_transit(error: Exception) -> bool:
    """Whether a transfer ended early, and was not refused by the Hub; hf_xet raises a RuntimeError then."""
    from huggingface_hub.errors import HfHubHTTPError, XetDownloadError

    refused = isinstance(error, HfHubHTTPError) and error.response is not None
    return isinstance(error, RuntimeError | XetDownloadError) or (_of_the_network(error) and not refused)


def _of_the_network(error: Exception) -> bool:
    from huggingface_hub.errors import RevisionResolutionError

    return isinstance(error, OSError | RevisionResolutionError) or type(error).__module__.startswith("http")
