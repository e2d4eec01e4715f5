"""The walker itself: what counts as an import, and a circle's path."""

from __future__ import annotations

from pathlib import Path

from tests.support.import_graph import circle, graph


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        file = root / "pkg" / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return root


def test_an_import_inside_a_function_counts_and_one_for_hints_does_not(tmp_path: Path) -> None:
    late = "def f():\n    from pkg import a\n"
    found = graph(written(tmp_path, __init__="", a="from pkg.b import x\n", b=late), ["pkg"])
    assert found == {"pkg": set(), "pkg.a": {"pkg.b"}, "pkg.b": {"pkg.a"}}
    assert circle(found) == ["pkg.a", "pkg.b", "pkg.a"]
    hint = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg import a\n"
    assert circle(graph(written(tmp_path, b=hint), ["pkg"])) == []


def test_a_package_that_gathers_its_modules_is_no_circle_until_one_asks_it_back(tmp_path: Path) -> None:
    root = written(tmp_path, __init__="from pkg.a import x\n", a="from pkg.b import y\n", b="y = 1\n")
    assert circle(graph(root, ["pkg"])) == []
    written(tmp_path, b="from pkg import x\n")
    assert circle(graph(root, ["pkg"])) == ["pkg", "pkg.a", "pkg.b", "pkg"]
