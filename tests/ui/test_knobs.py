"""Controls and declarations agree: one widget per knob, within its range, at its default, in the link."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.knobs import Method, knobs_of
from lab.methods import registry
from ui.widgets.knobs import help_of, key_of, label_of


def script(name: str) -> None:
    import streamlit as st

    from lab.methods import registry
    from ui.widgets import knobs

    st.session_state["made"] = knobs.controls(registry()[name])


def widgets(app: AppTest) -> dict:
    kinds = ("slider", "number_input", "selectbox", "segmented_control", "toggle", "text_input", "pills")
    return {widget.key: widget for kind in kinds for widget in getattr(app, kind)}


@pytest.mark.parametrize("name", registry())
def test_every_knob_has_its_control_and_its_default(name):
    app = AppTest.from_function(script, kwargs={"name": name}, default_timeout=30).run()
    assert not app.exception
    plain = [k for k in knobs_of(registry()[name]) if k.kind is not Method]
    found = widgets(app)
    assert set(found) == {key_of(registry()[name], k) for k in plain}
    made = app.session_state["made"]
    for k in plain:
        widget = found[key_of(registry()[name], k)]
        value = getattr(made, k.name)
        assert value == pytest.approx(k.default) if isinstance(k.default, float) else value == k.default
        if k.low is not None and hasattr(widget, "min") and widget.min is not None:
            assert widget.min == pytest.approx(k.low) and widget.max == pytest.approx(k.high)


def test_a_changed_control_changes_the_method():
    app = AppTest.from_function(script, kwargs={"name": "BadNets"}).run()
    app.slider(key="badnets-side").set_value(5).run()
    assert app.session_state["made"].side == 5


def test_help_tells_range_default_and_paper():
    k = next(k for k in knobs_of(registry()["TSBD"]) if k.name == "unlearn_lr")
    assert "default" in help_of(k) and "paper: 0.0001" in help_of(k).lower()
    assert label_of(k) == "Unlearn learning rate"
