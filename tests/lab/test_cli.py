"""The command line: list, run, train, sweep, and one sentence for every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from sqlalchemy import create_engine

from core.defenses import FineTuning
from core.knobs import knobs_of
from core.runs import finish
from core.training import Standard
from core.triggers import BadNets, Poison
from lab import VERSION, methods
from lab.cli import main
from lab.history import History
from lab.recipes import Recipe
from lab.sweep import recipes_of, sweep
from models import load

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def recipe_file(tmp_path: Path, tiny_model: str) -> Path:
    file = tmp_path / "recipe.json"
    file.write_text(Recipe(FineTuning(steps=2, batch_size=8), tiny_model, inputs={"n": 20}).to_json())
    return file


def test_the_version_comes_without_torch() -> None:
    code = (
        "import sys; from lab import cli\n"
        "try: cli.main(['--version'])\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split() == ["perturb", VERSION, "False"]


def test_list_prints_every_method_with_its_knobs(capsys: Capture) -> None:
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    for cls in methods.registry().values():
        assert cls.__name__ in text and all(f"    {k.name}" in text and k.help in text for k in knobs_of(cls))
    assert main(["list", "--json"]) == 0
    entries = {entry["method"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(entries) == set(methods.registry())
    ratio = next(knob for knob in entries["TSBD"]["knobs"] if knob["name"] == "neuron_ratio")
    assert {"default", "low", "high", "step", "paper", "symbol", "help", "type", "choices"} < set(ratio)


@pytest.mark.usefixtures("small")
def test_run_prints_mean_spread_and_each_seed(recipe_file: Path, capsys: Capture) -> None:
    assert main(["run", str(recipe_file), "--seeds", "2", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FineTuning on ") and lines[1].split() == [
        "figure",
        "mean",
        "spread",
        "seed",
        "0",
        "seed",
        "1",
        "n",
    ]
    recipe = Recipe.from_json(recipe_file.read_text())
    results = [finish(recipe.replace(seed=seed).run()) for seed in (0, 1)]
    row = next(line for line in lines if line.startswith("after/acc")).split()
    each = [result.figures["after/acc"] for result in results]
    assert [float(cell) for cell in row[3:5]] == [pytest.approx(value, abs=1e-4) for value in each]
    assert float(row[1]) == pytest.approx(sum(each) / 2, abs=1e-4) and row[5] == "20"
    said = [result.conclusion.text for result in results if result.conclusion is not None]
    assert lines[-2:] == [f"seed {seed}: {text}" for seed, text in enumerate(said)], "what came out ends the report"


@pytest.mark.usefixtures("small")
def test_run_as_json_and_with_a_bar(recipe_file: Path, capsys: Capture) -> None:
    assert main(["run", str(recipe_file), "--json"]) == 0
    out, err = capsys.readouterr()
    row = json.loads(out)
    again = finish(Recipe.from_json(recipe_file.read_text()).run())
    assert row["figures"] == again.figures and row["counts"] == again.counts and row["key"] == again.recipe.key()
    assert again.conclusion is not None and row["conclusion"] == again.conclusion.text and row["outcome"]
    assert "tune: 100%" in err and "2/2" in err


@pytest.mark.usefixtures("small")
def test_train_saves_a_model_that_loads_with_its_recipe_beside_it(tmp_path: Path, capsys: Capture) -> None:
    method = Standard(epochs=1, batch_size=32, poison=Poison(trigger=BadNets(), target=1, rate=0.2))
    recipe = Recipe(method, "arch:preact_resnet18?width=4", "scenes")
    file, folder = tmp_path / "train.json", tmp_path / "scenes-tiny"
    file.write_text(recipe.to_json())
    assert main(["train", str(file), "--out", str(folder), "--quiet"]) == 0
    assert "saved to" in capsys.readouterr().out
    assert Recipe.from_json((folder / "recipe.json").read_text()) == recipe
    model = load(str(folder))
    assert (model.target, model.mode, model.trigger) == (1, "all-to-one", BadNets()) and model.card.backdoored
    assert model.card.scores["test"]["n"] == 64 and model.card.recipe == recipe.to_dict()
    trained = finish(recipe.run()).model
    images = torch.rand(2, 3, 32, 32)
    assert torch.allclose(model(images), trained(images), atol=1e-5)  # type: ignore[misc]
    assert main(["train", str(folder / "recipe.json"), "--out", str(tmp_path / "again"), "--quiet"]) == 0
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"method": {"method": "TSBD"}}', "says no model"),
        ('{"method": {"method": "TSBD", "neuron_ratio": 3}, "model": "zoo:x"}', "TSBD.neuron_ratio = 3"),
        ('{"method": {"method": "TSBD"}, "model": "zoo:no-such-model"}', "no-such-model"),
        ('{"method": {"method": "Poison"}, "model": "zoo:x"}', "can be run by itself"),
        (None, "No such file"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_status_2(
    tmp_path: Path, text: str | None, said: str, capsys: Capture
) -> None:
    file = tmp_path / "recipe.json"
    if text is not None:
        file.write_text(text)
    assert main(["run", str(file), "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and len(err.strip().splitlines()) == 1 and "Traceback" not in err


def test_only_a_training_trains(recipe_file: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["train", str(recipe_file), "--out", str(tmp_path / "x")]) == 2
    assert "a defense, not a training" in capsys.readouterr().err


def test_a_grid_is_crossed() -> None:
    base = {"method": {"method": "TSBD"}, "model": "zoo:a"}
    grid = {"neuron_ratio": [0.05, 0.1], "seed": [0, 1, 2], "n": [10], "model": ["zoo:b"]}
    found = recipes_of(json.dumps({"recipe": base, "grid": grid}))
    assert len(set(found)) == 6 and {each.model for each in found} == {"zoo:b"} and found[0].inputs == {"n": 10}
    assert len(recipes_of(json.dumps([base, base]))) == 2 and len(recipes_of(json.dumps(base))) == 1
    for text, said in (("{", "not valid JSON"), (json.dumps({"recipe": base, "grid": {"seed": 1}}), "object of lists"),
                       (json.dumps({"recipe": base, "grid": {"colour": [1]}}), "no knob 'colour'")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            recipes_of(text)


@pytest.mark.usefixtures("small")
def test_a_sweep_goes_on_where_it_stopped(tiny_model: str, tmp_path: Path) -> None:
    history = History(create_engine(f"sqlite:///{tmp_path / 'runs.sqlite'}"))
    recipes = [Recipe(FineTuning(steps=1, batch_size=8), tiny_model, inputs={"n": 10}, seed=seed) for seed in range(2)]
    with ThreadPoolExecutor(1) as executor:
        first = list(sweep(recipes[:1], executor, history))
        rows = list(sweep([*recipes, Recipe(FineTuning(), "zoo:no-such-model")][:2], executor, history))
        wrong = list(sweep([Recipe(FineTuning(lr=1.0, steps=1), tiny_model, inputs={"target": 12})], executor))
    assert "known" not in first[0] and [row.get("known", False) for row in rows] == [True, False]
    assert rows[0]["figures"] == first[0]["figures"] and len(history.rows()) == 2
    assert "target = 12" in wrong[0]["error"]


def test_app_is_streamlit_run_of_the_app_beside_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy

    started: list[list[str]] = []
    monkeypatch.setattr(sys, "argv", ["perturb"])
    monkeypatch.setattr(runpy, "run_module", lambda name, run_name: started.append([name, run_name, *sys.argv]))
    assert main(["app"]) == 0 and main(["app", "--", "--server.port", "8080"]) == 0
    assert main(["app", "--address", "0.0.0.0", "--port", "80", "--", "--server.headless", "true"]) == 0
    app = str(Path(__file__).parents[2] / "app.py")
    streamlit = ["streamlit", "__main__", "streamlit", "run", app, "--server.address"]
    own = [*streamlit, "localhost"]
    more = ["0.0.0.0", "--server.port", "80", "--server.headless", "true"]
    assert started == [own, [*own, "--server.port", "8080"], [*streamlit, *more]]
