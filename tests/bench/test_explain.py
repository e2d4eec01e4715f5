"""The comparison of heatmaps with other libraries, on a small picture."""

import pytest
import timm

from bench.explain import vectors
from bench.explain.heatmaps import Case, row
from core.explain import GradCAM


@pytest.mark.parametrize("library", ["captum", "grad-cam"])
def test_a_comparison_times_both(library: str) -> None:
    pytest.importorskip("pytorch_grad_cam")
    found = row(Case(GradCAM(), library, 2, 64, 1, 1), timm.create_model("resnet18", num_classes=10).eval())
    assert found["agreement"] > 0.99
    assert found["ours"] > 0 and found["theirs"] > 0 and found["pictures"] == 2
    assert found["times faster"] == pytest.approx(found["theirs"] / found["ours"], rel=0.05)


def test_vectors_are_timed_beside_captum() -> None:
    rows = vectors.measured(rounds=1)
    assert [each["vectors"] for each in rows][-1].startswith("captum")
    for name in ("from pictures", "from activations"):
        assert rows[-1][f"{name}, times faster"] == 1
        for each in rows:
            assert each[f"{name}, times faster"] == pytest.approx(rows[-1][name] / each[name])
