"""Scoreboard: attacks x defenses from stored runs; any cell can be run here; and what peeking would change."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Scoreboard",
    "**Watch** the ranking when each defense may peek at the attack to choose its threshold. Bright is good.",
)

from ui import board, errors, frame, jobs, link, share, texts  # noqa: E402

with frame.ready():
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

with frame.ready():
    boards = {name: scoreboard.board(data, settings.control_n, name) for name in RULES}
    shown, job = boards[rule], jobs.current("scoreboard")
    rows = run_log.stored()
    if job is not None and job.state == "done" and job.result is not None:
        rows.append(job.result.row())  # the history may be a moment behind
    cells = {name: scoreboard.fill(each, rows) for name, each in boards.items()}
    standings = {name: scoreboard.standings(found) for name, found in cells.items()}


def picked():
    """The cell that was clicked becomes the chosen one."""
    if place := board.clicked(shown, TABLE):
        st.session_state["defense"], st.session_state["attack"] = place


board.heat(shown, cells[rule], FIGURES[word], key=TABLE, picked=picked)
told = "in percent, " if word != "DER" else ""
st.caption(
    f"{word} {told}mean ± standard deviation over seeds; n ≤ {shown.n} test pictures each. "
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
    with errors.in_a_sentence():
        recipe = shown.recipe(defense, attack, cell.next_seed)
    jobs.buttons("scoreboard", recipe, f"Run seed {recipe.seed}")
    jobs.watch("scoreboard", lambda job: jobs.progress(job))
    if cell.rows:
        board.runs(cell)
        done = shown.recipe(defense, attack, next(iter(cell.rows)))
        st.page_link(
            "compare.py", label="Compare with the clean twin", icon=":material/balance:",
            query_params={"v": "1", "recipe": done.to_json()},
        )  # fmt: skip
    else:
        st.caption("This cell is empty.")
with right:
    rules = [rule] if rule == "clean" else ["oracle", "clean"]
    st.markdown("**Over all attacks**, average rank behind the name")
    board.ranking({name: standings[name] for name in rules}, height=24 * max(4, len(standings[rule])))
    st.caption("Bars: 95 % t-interval, the attacks being the sample. Rank: among those that met the same attacks.")

ORDER = ["It stays as it is", "It changes"]
ranked = {name: [one.defense for one in table if one.rank is not None] for name, table in standings.items()}
both = all(len(table) > 1 for table in ranked.values())
lesson.question(
    "If defenses may peek, what happens to their order?", ORDER, ORDER[ranked["clean"] != ranked["oracle"]],
    "A rank that rests on peeking says what could be, not what a defender gets.", key="scoreboard", reveal=both,
)  # fmt: skip
share.block(
    "scoreboard", recipe, job.result if job is not None else None,
    query={"board": data, "figure": word, "chosen": rule, "defense": defense, "attack": attack},
)  # fmt: skip
machines = sorted({row.get("hardware", row["device"]) for one in cells[rule].values() for row in one.rows.values()})
if machines:
    st.caption(f"Computed on {'; '.join(machines)}. `perturb sweep recipes/scoreboard-{data}.json` fills the table.")
lesson.meaning(
    "A defender has a few clean pictures: no trigger, no target, no test set. Accuracy on clean pictures says nothing "
    "about a backdoor, so that an honest rule may stop too early. Whoever peeks stops at the right place, and the "
    "difference is **the price of honesty**. Look at RA, too: a low ASR with a low RA is a broken model, not a cured "
    "one. A low rank over few attacks and one seed is weak evidence; the bars say how weak.",
    about=texts.DER,
)
