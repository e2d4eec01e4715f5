"""The warm-up of the server: what the first visitor must not wait for is imported and loaded."""

from __future__ import annotations

import pytest

import app
from lab import loading
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


def test_a_device_that_is_not_there_is_one_sentence_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PERTURB_DEVICE", "abacus")
    monkeypatch.setattr(loading.classifiers, "_held", loading.classifiers._held.__class__())
    app.warm_up()
    (record,) = [each for each in caplog.records if each.name == "perturb-lab"]
    assert "PERTURB_DEVICE = 'abacus' names no device" in record.getMessage() and record.exc_info is None
