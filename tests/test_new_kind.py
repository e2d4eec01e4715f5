"""A new kind with its page, as README.md and CONTRIBUTING.md add one: four files and one row in a copy of the project.

The rest must follow: navigation, card, link, curve, figures, a stopped result, CSV, the command line, the history.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.project import ROOT, example, python

PACKAGES = ("core", "lab", "ui", "pages", "recipes", "models")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's packages with the kind of the examples; the shipped models are linked, not copied."""
    root = tmp_path_factory.mktemp("copy")
    skipped = shutil.ignore_patterns("__pycache__", "zoo")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=skipped)
    (root / "models" / "zoo").symlink_to(ROOT / "models" / "zoo")
    (root / "lab" / "kinds" / "noise.py").write_text(example("README.md", "kind"))
    (root / "pages" / "noise.py").write_text(example("CONTRIBUTING.md", "page"))
    (root / "ui" / "texts" / "noise.py").write_text(example("CONTRIBUTING.md", "text"))
    (root / "recipes" / "noise.json").write_text(example("CONTRIBUTING.md", "recipe"))
    rows = root / "ui" / "pages.py"
    text, end = rows.read_text(), "]  # fmt: skip\n\"\"\"Every page"
    assert text.count(end) == 1
    rows.write_text(text.replace(end, f"    {example('CONTRIBUTING.md', 'row').strip()},\n{end}"))
    return root


def ran(root: Path, *command: str) -> str:
    """What a Python process prints that finds the copy and not the checkout."""
    return python(*command, cwd=root, PYTHONPATH=str(root), PERTURB_CACHE=str(root / "cache"))


PAGE = '''
import csv, io, time
from pathlib import Path
from streamlit.testing.v1 import AppTest
import lab
assert Path(lab.__file__).is_relative_to(Path.cwd()), lab.__file__

def opened(page="", **query):
    app = AppTest.from_file("pages/_router.py", default_timeout=120)
    for name, value in query.items():
        app.query_params[name.replace("__", "-")] = value
    if page:
        app.switch_page(page)
    app.run()
    assert not app.exception and not app.error, (app.exception, app.error)
    return app

def ended(app):
    end = time.monotonic() + 120
    while not app.session_state["job-noise"].ended and time.monotonic() < end:
        time.sleep(0.02)
    return app.run()

home = opened()
assert any(button.label == "Open in Noise" for button in home.button), "a card"
from ui.pages import sections
assert "noise" in [page.slug for page in sections()["Perturbations"]], "a place in the navigation"

app = opened("noise.py", noise__scale="0.2")
assert app.title[0].value == "Noise" and app.slider(key="noise-scale").value == 0.2, "a link sets the control"
app.button(key="noise-start").click().run()
app = ended(app)
job = app.session_state["job-noise"]
assert job.state == "done" and job.error == "", job.error
assert [point["loss"] for point in job.curve if "loss" in point], "a curve"
assert len(app.get("vega_lite_chart")) == 1, "drawn"
assert app.metric[0].label == "Loss" and app.metric[0].value == f"{job.result.figures['loss']:.3f} nats", "figures"
app.session_state["link-noise"] = True
app.run()
address = next(block.value for block in app.code if "noise?" in block.value)
assert "method=Noise" in address and "noise-scale=0.2" in address, address
assert any(job.recipe.kind.conclude(job.result).text in text.value for text in app.markdown), "what came out"
from ui.widgets.share import table
rows = list(csv.reader(io.StringIO(table(job.result).decode())))
assert rows[1] == ["loss", str(job.result.figures["loss"]), "200", "Loss"] and any("loss" in row for row in rows[2:])
from lab.history import history
assert history().rows(1)[0]["figures"] == job.result.figures, "the history"

from lab.recipes import Recipe
from lab.running.curve import Curve
from lab.running.stopped import stopped
curve = Curve(job.recipe.kind.scores)
run = job.recipe.run(curve)
while len([point for point in curve.points if "loss" in point]) < 3:
    last = next(run)
run.close()
half = stopped(job.recipe, curve.points, last)
assert half.stopped and half.figures == {"loss": curve.points[-1]["loss"]} and half.counts == {"loss": 200}
try:
    Recipe(job.recipe.method, "zoo:scenes-badnets", inputs={"target": 1})
except ValueError as error:
    assert "A noise reads no input 'target'; it reads n." in str(error)
else:
    raise AssertionError("an input that the kind does not read was taken")
print("page", job.result.figures["loss"])
'''


def test_the_page_of_a_new_kind_works(copy: Path) -> None:
    assert ran(copy, "-c", PAGE).startswith("page ")


def test_the_command_line_knows_a_new_kind(copy: Path) -> None:
    assert "Noise  (noise)" in ran(copy, "-m", "lab.cli", "list")
    lines = ran(copy, "-m", "lab.cli", "run", "recipes/noise.json", "--quiet").splitlines()
    row = next(line for line in lines if line.startswith("loss")).split()
    assert float(row[1]) > 0 and row[-1] == "200"
    assert lines[-1].startswith("seed 0: ") and lines[-1].endswith("nats on 200 pictures.")
