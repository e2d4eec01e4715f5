"""The warm-up of the server: what the first visitor must not wait for is imported and loaded."""

from __future__ import annotations

from tests.support.project import python

CODE = """
import sys
import app
app.warm_up()
from lab.kinds import kinds
before = set(sys.modules)
kinds()
print(app.warm.is_set(), sorted(set(sys.modules) - before))
"""


def test_every_kind_and_method_is_imported_when_the_server_is_warm() -> None:
    assert python("-c", CODE).split("\n")[-2] == "True []"
