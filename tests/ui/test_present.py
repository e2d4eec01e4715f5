"""Present: a link or the switch enlarges a page, and there is a way back."""

from __future__ import annotations

import json

from tests.ui.conftest import fine
from ui.charts import LARGER
from ui.style import LARGE


def height(app) -> float:
    """Of the first chart, in pixels."""
    return json.loads(app.get("vega_lite_chart")[0].proto.spec)["height"]


def test_a_link_presents_a_page_and_the_button_ends_it(visit):
    usual = fine(visit("triggers.py"))
    assert not usual.toggle(key="present").value and not larger(usual)
    app = fine(visit("triggers.py", present="1"))
    assert app.toggle(key="present").value and larger(app)
    assert height(app) == round(LARGER * height(usual))
    assert {item.proto.label for item in app.get("download_button")} == set()
    app = fine(app.button(key="end-present").click().run())
    assert not app.toggle(key="present").value and not larger(app)
    assert "present" not in app.query_params and "end-present" not in [button.key for button in app.button]


def test_the_switch_is_in_the_link_and_follows_to_other_pages(visit):
    app = fine(visit("triggers.py").toggle(key="present").set_value(True).run())
    assert app.query_params["present"] == "1"
    assert larger(fine(app.switch_page("weights.py").run()))


def larger(app) -> bool:
    return any(LARGE in block.proto.body for block in app.get("html"))
