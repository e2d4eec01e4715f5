"""Whether a model may be a folder of this computer: whoever runs the server decides, never a visitor's link.

A command line is run by the computer's owner and may open any folder. A server may where `settings.local_folders` is
"on", and with "auto" where nobody but its own computer reaches it. Elsewhere every name that is neither zoo:… nor
hf:… is refused before the disk is looked at, so that the answer does not tell which folders exist.
"""

from __future__ import annotations

import ipaddress

from lab import run_names
from lab.settings import settings
from models.card import ModelError

REFUSED = (
    "There is no model {ref!r} here: give zoo:NAME or hf:owner/name. This lab opens no folders of the computer that it "
    "runs on."
)

_allowed = True


def serve(*addresses: str | None) -> None:
    """Say that this process answers visitors from now on.

    addresses : where it listens, and where visitors are sent; None or "" is every interface
    """
    global _allowed
    private = not settings.public_host and all(map(is_own, addresses))
    _allowed = private if settings.local_folders == "auto" else settings.local_folders == "on"


def require_allowed(ref: str) -> None:
    """Raise ModelError for a name that could be a folder, where none may be opened."""
    if not _allowed and not ref.startswith(("zoo:", "hf:", run_names.PREFIX)):
        raise ModelError(REFUSED.format(ref=ref))


def allowed() -> bool:
    """Whether a folder of this computer may be opened."""
    return _allowed


def require_pictures_allowed() -> None:
    """Raise ValueError where no folder of this computer may be opened."""
    if not _allowed:
        raise ValueError("This lab opens no folders of the computer that it runs on; upload the pictures instead.")


def is_own(address: str | None) -> bool:
    """Whether only the computer itself reaches what listens on this address: localhost, 127.0.0.1, ::1."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "0.0.0.0").is_loopback
    except ValueError:
        return False
