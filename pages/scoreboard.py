"""Scoreboard: attacks x defenses from stored runs; any cell can be run here; and what peeking at the attack changes."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "scoreboard",
    "**Watch** the ranking when each defense may peek at the attack to choose its threshold. Bright is good.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.charts import scoreboard as charts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.widgets import jobs, link  # noqa: E402

with sidebar.ready():
    from lab import run_log, scoreboard
    from lab.settings import settings

FIGURES = {"ASR": "asr", "ACC": "acc", "RA": "ra", "DER": "der"}
RULES = {"clean": "clean images", "oracle": "peeking"}
TABLE = "board-table"
MARK = "⚠ uses the attacker's trigger and the test set"

sets = scoreboard.data_sets() or ["scenes"]
one, two, three = st.columns(3, vertical_alignment="bottom")
with one:
    data = link.choose("Models of", sets, key="board", help="The data set that the backdoored models were trained on.")
with two:
    word = link.pick("Figure", list(FIGURES), "ASR", key="figure", help=f"DER: {texts.DER.symbols}")
with three:
    rule = link.pick(
        "Threshold chosen by", list(RULES), "clean", key="chosen",
        help="clean: from a few clean images, as a defender must. oracle: by the attack success itself, as many "
        "published scripts do. A defense that chooses nothing is the same under both.",
    )  # fmt: skip


def compared(data, rule, run):
    """By the rule for the threshold: boards, cells, and those cells over which the standings are taken."""
    boards = {name: scoreboard.board(data, settings.control_n, name) for name in RULES}
    rows = run_log.stored() + ([] if run is None else [run.row()])
    cells = {name: scoreboard.fill(each, rows) for name, each in boards.items()}
    if rule == "clean":
        alike = {"clean": scoreboard.on_shared_seeds(cells["clean"]) or cells["clean"]}
    else:
        alike = dict(zip(("clean", "oracle"), scoreboard.shared(cells["clean"], cells["oracle"]), strict=True))
    return boards, cells, alike


with sidebar.ready():
    run = page.result  # the history may be a moment behind
    key = data, rule, settings.control_n, run and run.recipe.key(), run_log.version()
    boards, cells, alike = cache.kept(lambda: compared(data, rule, run), "boards", *key)
    shown, standings = boards[rule], {name: scoreboard.standings(found) for name, found in alike.items()}


def picked():
    """The cell that was clicked becomes the chosen one."""
    if place := charts.clicked(shown, TABLE):
        st.session_state["defense"], st.session_state["attack"] = place


charts.heat(shown, cells[rule], FIGURES[word], key=TABLE, picked=picked)
told = "in percent, " if word != "DER" else ""
st.caption(
    f"{word} {told}mean over seeds (standard deviation: point at a cell); n ≤ {shown.n} test pictures each. "
    f"{len(cells[rule])} of {len(shown.attacks) * len(shown.defenses)} cells have been run; click one."
    + (f" **{MARK}.**" if rule == "oracle" else "")
)
left, right = st.columns(2, gap="medium")
with left:
    names = list(shown.defenses)
    first, second = st.columns(2)
    with first:
        defense = link.choose("Defense", names, index=names.index("TSBD") if "TSBD" in names else 0, key="defense")
    with second:
        attack = link.choose("Attack", list(shown.attacks), key="attack")
    cell = cells[rule].get((defense, attack), scoreboard.Cell({}))
    with in_a_sentence():
        recipe = shown.recipe(defense, attack, cell.next_seed)
    page.start(recipe, f"Run seed {recipe.seed}")
    page.watch(jobs.progress)
    if cell.rows:
        charts.runs(cell)
        done = shown.recipe(defense, attack, next(iter(cell.rows)))
        st.page_link(
            "compare.py", label="Compare with a clean model", icon=":material/balance:",
            query_params={"v": "1", "recipe": done.to_json()},
        )  # fmt: skip
    else:
        st.caption("This cell is empty.")
with right:
    rules = [rule] if rule == "clean" else ["oracle", "clean"]
    st.markdown("**Over all attacks**, average rank behind the name")
    charts.ranking({name: standings[name] for name in rules})
    st.caption(
        "Bars: 95 % t-interval, the attacks being the sample. Rank: among those run on the same attacks."
        + (f" Both rules over the {len(alike['oracle'])} cells that both have." if rule == "oracle" else "")
    )

page.ask(
    "If defenses may peek, what happens to their order?", {"stays": "It stays as it is", "changes": "It changes"},
    cache.kept(
        lambda: scoreboard.order(boards["clean"], boards["oracle"], cells["clean"], cells["oracle"]), "order", *key
    ),
)  # fmt: skip
machines = sorted({row.get("hardware", row["device"]) for one in cells[rule].values() for row in one.rows.values()})
if machines:
    st.caption(f"Computed on {'; '.join(machines)}. perturb sweep recipes/scoreboard-{data}.json fills the table.")
page.end(
    recipe,
    texts.DER,
    "A defender has a few clean pictures: no trigger, no target, no test set. Accuracy on clean pictures says nothing "
    "about a backdoor, so a rule based on it may stop too early. Peeking chooses by the attack success itself; the "
    "difference is **the cost of not knowing the trigger**. Look at RA, too: a low ASR with a low RA is a broken "
    "model, not a repaired one. A good rank over few attacks and one seed is weak evidence: see the intervals.",
    query={"board": data, "figure": word, "chosen": rule, "defense": defense, "attack": attack},
)
