"""What A-CAV changes against TCAV, from made-up recalls: pairs, intervals and words by hand."""

from __future__ import annotations

import pytest

from bench.acav import compared, verdict


def rows(method: str, recall: list[float], at_5: list[float]) -> dict:
    return {"model": "zoo:a", "concept": "red", "method": method, "recall": recall, "recall at 5 % FPR": at_5}


def test_gain_and_deviation_are_told_pair_by_pair() -> None:
    found = compared([
        rows("TCAV", [0.2, 0.5, 0.8], [0.4, 0.5, 0.6]),
        rows("more", [0.5, 0.6, 0.7], [0.5, 0.61, 0.69]),
        rows("steadier", [0.55, 0.5, 0.45], [0.2, 0.3, 0.41]),
        rows("other", [0.2, 0.5, 0.8], [0.6, 0.5, 0.4]),
    ])  # fmt: skip
    assert [each["method"] for each in found] == ["more", "steadier", "other"]
    assert [each["recall at 5 % FPR is"] for each in found] == ["higher", "lower", "not told apart"]
    assert found[0]["gain at 5 % FPR"] == pytest.approx(0.1)
    assert found[0]["from"] == pytest.approx(0.1 - 4.303 * 0.01 / 3**0.5, abs=1e-4)
    assert [each["deviation / TCAV's"] for each in found] == pytest.approx([1 / 3, 1 / 6, 1])
    assert [each["a third or less"] for each in found][1:] == ["yes", "no"]
    told = verdict(found)
    assert "steadier: recall at 5 % FPR higher than TCAV's for 0 of 1 pairs of concept and model, lower for 1" in told
