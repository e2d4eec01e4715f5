"""Claims: what the papers claim, and what the lab's own figures say of it, claim by claim."""

import streamlit as st

from ui.widgets import lesson

lesson.opening(
    "Claims",
    "**Watch** how many of the papers' claims hold in this lab's own figures. A verdict is a rule on figures, never an "
    "opinion; a claim that was not tested says so.",
)

from ui import cache, sidebar  # noqa: E402
from ui.charts import claims as charts  # noqa: E402
from ui.views import claims as views  # noqa: E402
from ui.widgets import link  # noqa: E402

with sidebar.ready():
    from lab import claims, run_log
    from lab.claims import text
    from lab.recipes import Recipe

ALL = "all"


def judged():
    """Each verdict with the address of its claim's experiment."""
    verdicts = claims.all_judged(claims.stored())
    return [(one, one.claim.query or Recipe.from_dict(dict(one.claim.recipe)).to_query()) for one in verdicts]


found = cache.kept(judged, "claims", run_log.files_version(), claims.version())
verdicts = [verdict for verdict, _ in found]
st.markdown(text.summary(verdicts))
charts.verdicts([(claims.PAPERS[one.claim.paper], one.word) for one in verdicts], claims.VERDICTS)
with st.popover("How a verdict is found", icon=":material/rule:"):
    st.markdown(text.RULE)

left, right = st.columns(2, vertical_alignment="bottom")
with left:
    paper = link.choose("System", [ALL, *claims.PAPERS.values()], key="paper")
with right:
    word = link.choose("Verdict", [ALL, *claims.VERDICTS], key="verdict")
shown = [
    (verdict, query) for verdict, query in found
    if paper in (ALL, claims.PAPERS[verdict.claim.paper]) and word in (ALL, verdict.word)
]  # fmt: skip
if not shown:
    st.caption("No claim of this system has this verdict.")
for name, title in claims.PAPERS.items():
    own = [one for one in shown if one[0].claim.paper == name]
    if own:
        st.header(title, anchor=False)
    for verdict, query in own:
        views.claim(verdict, query)
st.caption("The same as text: `perturb paper all`; with `--run` it first computes the runs that are not stored.")
