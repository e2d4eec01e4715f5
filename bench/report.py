"""Measured figures: how they get into README.md and docs/results.md.

    python -m bench.report            write both
    python -m bench.report --print    print the tables of docs/results.md
    python -m bench.report --check    say which of the two is out of date, with exit status 1

A benchmark calls `bench.keep.keep(...)`, which writes lab/stored/tables/<name>.json; `lab.tables` says what such a
file holds.
docs/results.md has every table, README.md the headline (`bench.headline`), each between two markers.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.headline import headline
from lab import tables
from ui.pages import sections

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
PAGE_MARKS = "<!-- pages:begin -->", "<!-- pages:end -->"
ORDER = [
    "zoo", "scoreboard", "neurons", "unlearning", "tsbd", "family", "family-before", "family-architectures",
    "family-rankings", "family-development", "poison", "flareon", "regional", "attacks", "autoattack",
    "universal-speed", "masking", "heatmaps", "trust", "concepts", "acav", "concepts-shuffled", "concept-speed",
    "live", "visitors", "speed",
]  # fmt: skip


def report() -> str:
    """All sections in their order, those that ORDER does not know at the end."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(tables.TABLES.glob("*.json"))}
    names = [name for name in ORDER if name in found] + [name for name in found if name not in ORDER]
    return "\n\n".join(tables.section(found[name]) for name in names)


def fill(text: str, body: str, begin: str = BEGIN, end: str = END) -> str:
    """`text` with `body` between its markers."""
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{body}\n\n{end}{rest.split(end)[1]}"


def page_table() -> str:
    """The pages of the app by section, as their rows in `ui.pages` have them."""
    told = {name: " ".join(f"*{page.title}*: {page.help}" for page in pages) for name, pages in sections().items()}
    return tables.table([{"section": name, "pages": text} for name, text in told.items()], {})


def pages() -> dict[Path, str]:
    """What the two pages must say: their text, with today's figures between the markers."""
    bodies = {ROOT / "README.md": headline(), ROOT / "docs" / "results.md": report()}
    found = {page: fill(page.read_text(encoding="utf-8"), body) for page, body in bodies.items()}
    found[ROOT / "README.md"] = fill(found[ROOT / "README.md"], page_table(), *PAGE_MARKS)
    return found


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the measured figures into README.md and docs/results.md.")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--print", action="store_true", help="print the tables instead")
    other.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    options = parser.parse_args(argv)
    if options.print:
        print(report())
        return
    old = {page: text for page, text in pages().items() if page.read_text(encoding="utf-8") != text}
    for page, text in old.items():
        print(page.relative_to(ROOT), "is out of date" if options.check else "written")
        if not options.check:
            page.write_text(text, encoding="utf-8")
    if options.check and old:
        sys.exit("Run python -m bench.report.")


if __name__ == "__main__":
    main()
