"""Pictures that visitors upload: which files are taken, and each decoded once, not on every rerun of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.errors import in_a_sentence

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

FILES: dict[str, Any] = {"type": ["png", "jpg", "jpeg", "webp"], "max_upload_size": 5}
"""What `st.file_uploader` is given: the formats, and the most megabytes of one file."""
READ = "uploads-read"
"""Of this visit: the names of pictures by the number of their file."""


def kept(file: UploadedFile) -> str:
    """The name, "upload:<sha256>", under which a file's picture is kept in memory; it is decoded again where it has
    been forgotten. ValueError in one sentence where the file is no picture that can be read."""
    from core.data.upload import decode
    from lab import uploads

    names: dict[str, str] = st.session_state.setdefault(READ, {})
    name = names.get(file.file_id)
    if name is None or uploads.kept.get(name) is None:
        name = names[file.file_id] = uploads.keep(decode(file.getvalue()))
    return name


def several(label: str, *, key: str, help: str) -> str:
    """An uploader of several pictures: their names, one after the other with commas; "" while there are none."""
    files = st.file_uploader(label, accept_multiple_files=True, key=key, help=help, **FILES)
    with in_a_sentence(stop=False):
        return ",".join(kept(file) for file in files or [])
    return ""
