"""What this visitor has used last from the Hub: offered again in the pickers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui import offline

MOST = 5


def note(what: str, name: str) -> None:
    """Remember that the "model" or "data" of this name has been opened; what ships with the lab is listed anyway."""
    if name.startswith("hf:"):
        rest = [each for each in of(what) if each != name]
        st.session_state[_key(what)] = [name, *rest][:MOST]


def of(what: str) -> list[str]:
    """The last ones, the latest first."""
    return list(st.session_state.get(_key(what), ()))


def listed(what: str, names: Sequence[str], key: str) -> list[str]:
    """The options of the picker with this key: `names`, the last ones, and what it holds now, if it is neither."""
    now = (st.session_state.get(key) or st.query_params.get(key) or "").removesuffix(offline.MARK)
    return list(dict.fromkeys([*names, *of(what), *([now] if now else [])]))


def _key(what: str) -> str:
    return f"{what}-recent"
