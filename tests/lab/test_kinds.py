"""Every kind of experiment keeps to what `Kind` promises; and no two of them are confused."""

from __future__ import annotations

from typing import Any

import pytest

from lab import methods
from lab.kinds import kind_of, kinds
from lab.kinds.kind import Kind
from lab.recipes import Recipe

SAMPLES: dict[str, Any] = {
    "images": [3, 1], "n": 20, "moments": 3, "target": 2, "mode": "all-to-all", "rate": 0.05, "mask": "f" * 64,
    "judge": "zoo:scenes-clean", "judges": ["zoo:scenes-at", "zoo:scenes-wanet"], "other": "zoo:scenes-clean",
    "split": "train", "trigger": {"method": "BadNets"},
    "attacks": "all", "second": {"method": "HiResCAM"}, "concept": "class=ring", "layer": "layer3",
    "alongside": {"method": "ACAV"}, "others": "none",
    "normal": "class=0", "outlier": "trigger=BadNets", "contamination": 0.1,
    "pictures": 50, "detectors": "Autoencoder,PaDiM",
}  # fmt: skip
"""A value for each input that a kind may read, but for a second method, which is of its own."""


def samples(kind: Kind) -> dict[str, Any]:
    return SAMPLES | {"beside": {"method": kind.methods[0].__name__}}


each = pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)


@each
def test_a_kind_runs_registered_methods_and_they_are_its_own(kind: Kind) -> None:
    assert kind.methods
    for cls in kind.methods:
        assert kind_of(cls) is kind and methods.find(cls.__name__) is cls
        assert not [other.name for other in kinds().values() if other is not kind and cls in other.methods]


@each
def test_its_inputs_survive_json_and_a_link(kind: Kind) -> None:
    assert all(name == known.name for name, known in kind.inputs.items())
    for name, known in kind.inputs.items():
        value = known.check(samples(kind)[name])
        assert known.check(value) == value, name
        if known.text is not None:
            assert known.parse(known.text(value)) == value, name
    recipe = Recipe(kind.methods[0](), "zoo:scenes-badnets", inputs={name: samples(kind)[name] for name in kind.inputs})
    assert Recipe.from_query(recipe.to_query()) == Recipe.from_json(recipe.to_json()) == recipe


@each
def test_it_refuses_the_inputs_of_others(kind: Kind) -> None:
    for name in set(samples(kind)) - set(kind.inputs):
        with pytest.raises(ValueError, match=f"A {kind.name} reads no input '{name}'"):
            Recipe(kind.methods[0](), "zoo:scenes-badnets", inputs={name: samples(kind)[name]})


@each
def test_its_scores_are_told_apart_and_explained(kind: Kind) -> None:
    figures = [score.figure for score in kind.scores]
    assert len(set(figures)) == len(figures) and len({score.label for score in kind.scores}) == len(figures)
    for score in kind.scores:
        assert score.better in ("up", "down", "") and len(score.label) <= 40
        assert not score.help or score.help.endswith(".")
        assert score.text(0.5) == ("50.0 %" if score.unit == "%" else f"0.500 {score.unit}".rstrip())


@each
def test_its_script_compiles_and_needs_only_core_and_models(kind: Kind) -> None:
    for cls in kind.methods:
        start = "arch:preact_resnet18?width=16" if kind.name == "training" else "zoo:scenes-badnets"
        text = Recipe(cls(), start).python()
        compile(text, cls.__name__, "exec")
        imports = [line for line in text.splitlines() if line.startswith(("from ", "import "))]
        imported = {line.split()[1].split(".")[0] for line in imports}
        assert imported <= {"core", "models"}, imported


@each
def test_its_first_progress_comes_before_anything_is_loaded(kind: Kind) -> None:
    start = "arch:no_such_net" if kind.name == "training" else "zoo:no-such-model"
    run = Recipe(kind.methods[0](), start).run()
    assert next(run).stage == "load"
    with pytest.raises(ValueError, match=r"no-such-model|no_such_net"):
        next(run)


@each
def test_only_a_kind_that_leaves_a_model_says_so(kind: Kind) -> None:
    assert kind.leaves_model == (kind.name in ("consistency", "defense", "injection", "robust", "training"))
