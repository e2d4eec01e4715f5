"""Formulas in running text."""

from __future__ import annotations


def inline(tex: str) -> str:
    """A formula at full size, as Markdown.

    Not st.latex: a formula in a line breaks where there is little room, one of its own would be cut.
    """
    return rf"$\displaystyle {tex}$"
