"""The texts at the foot of a page: each stands in the file of its method's kind, and once."""

from __future__ import annotations

import pytest

from core.attacks import ATTACKS, REACTIVATIONS, WEIGHT_ATTACKS
from core.defenses import DEFENSES, DETECTORS
from core.triggers import TRIGGERS
from ui import texts
from ui.texts import attacks, detectors, repairs, triggers

TABLES = {
    triggers: TRIGGERS, attacks: [*ATTACKS, *WEIGHT_ATTACKS, *REACTIVATIONS], repairs: DEFENSES, detectors: DETECTORS,
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_a_text_belongs_to_a_registered_method_of_its_files_kind(table):
    assert set(table.TEXTS) <= {cls.__name__ for cls in TABLES[table]}


def test_the_joined_table_holds_each_text_once():
    assert len(texts.TEXTS) == sum(len(table.TEXTS) for table in TABLES) + 1  # and TAC, a score
    assert len(set(texts.TEXTS.values())) == len(texts.TEXTS)
    assert texts.of("TAC") is texts.TAC and texts.of("TSBD") is repairs.TEXTS["TSBD"]


def test_what_has_no_text_yet_points_to_its_docstring():
    assert "docstring" in texts.of("Nothing").symbols
