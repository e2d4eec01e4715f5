"""The line of the sidebar that names the GPU which everything here is computed on; nothing where a CPU computes."""

from __future__ import annotations

import streamlit as st


def draw() -> None:
    """Name, memory and what of it is free now. It needs torch, so it is drawn last."""
    from core.device import best_device, gpu

    try:
        found = gpu(best_device())
    except ValueError:
        return  # PERTURB_DEVICE names no device of this machine; the page has said so
    if found is not None:
        with st.sidebar:
            st.caption(f":material/memory: {found.name}, {_size(found.total)}, {_size(found.free)} free")


def _size(memory: int) -> str:
    gib = memory / 2**30
    return f"{gib:.0f} GiB" if gib >= 10 else f"{gib:.1f} GiB"
