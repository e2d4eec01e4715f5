"""Each paper's table: the published protocol beside what was done here, and our figures from stored runs.

    perturb paper NAME [--run]

`<name>.json` beside this file holds the protocol, as far as released code and abstracts give it, and the runs that our
table is made of, written as in a sweep file. No result cell of these papers is printed: their tables were not read.
"""

from lab.papers.planning import NAMES, planned, read, run
from lab.papers.tables import text

__all__ = ["NAMES", "planned", "read", "run", "text"]
