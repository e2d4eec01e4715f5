"""Glossary: every word of the field that the pages use, in a sentence or two."""

import streamlit as st

from ui.texts.glossary import WORDS
from ui.widgets import lesson

lesson.opening("Glossary", "Every word that the pages use. On a page, each opens under the text that uses it first.")

part = st.text_input("Find a word", key="glossary-find", placeholder="ASR", bind="query-params").strip().lower()
found = [word for word in sorted(WORDS, key=str.lower) if part in f"{word} {WORDS[word].meaning}".lower()]
if not found:
    st.caption("No word and no explanation contains this; try a shorter one.")
with st.grid(2, min_column_width=300, gap="medium"):
    for word in found:
        st.markdown(f"**{word}**  \n{WORDS[word].meaning}")
