"""`perturb list | run | train | sweep | paper | report | app`: the lab without a browser, and its app.

Results go to stdout, progress to stderr. A mistake ends in one sentence and exit status 2. What is heavy is
imported by the command that needs it, so that `perturb --version` is quick.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lab import VERSION

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from lab.recipes import Recipe
    from lab.results import Result

ALL_PAPERS = "all"
"""The name under which `perturb paper` prints every claim."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status is 0, 2 for a mistake, 130 when interrupted."""
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.stdout = None  # type: ignore[assignment]  # or Python would flush it once more on the way out
    except (ValueError, OSError) as error:
        print(f"perturb: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("perturb: stopped.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    top = argparse.ArgumentParser(prog="perturb", description="Perturb something and watch what the network does.")
    top.add_argument("--version", action="version", version=f"perturb {VERSION}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="print every method with its knobs")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=list_methods)

    run = commands.add_parser("run", help="run a recipe and print its figures")
    run.add_argument("recipe", type=Path, help="a recipe as JSON")
    run.add_argument("--seeds", type=int, default=1, metavar="N", help="run with N seeds; mean, spread and each")
    run.add_argument("--json", action="store_true", help="one JSON line per seed")
    run.add_argument("--quiet", action="store_true", help="no progress bar")
    run.set_defaults(run=run_recipe)

    train = commands.add_parser("train", help="train a model from a recipe and save it")
    train.add_argument("recipe", type=Path, help="a recipe whose method is a training")
    train.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the model is saved")
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    train.set_defaults(run=train_recipe)

    sweep = commands.add_parser("sweep", help="run many recipes; one JSON line each")
    sweep.add_argument("file", type=Path, help="a list of recipes, or a recipe with a grid")
    side_by_side(sweep)
    sweep.add_argument("--store", type=Path, metavar="FILE", help="keep rows in this file, not in the history")
    sweep.add_argument("--fresh", action="store_true", help="run again what is known already")
    sweep.set_defaults(run=run_sweep)

    paper = commands.add_parser("paper", help="print a paper's protocol beside our table, or all claims")
    paper.add_argument("name", help="a paper's name, such as awp, or all: every claim with its verdict")
    paper.add_argument("--run", dest="anew", action="store_true", help="compute what is not stored yet, and keep it")
    side_by_side(paper)
    paper.set_defaults(run=print_paper)

    report = commands.add_parser("report", help="measure how robust a model is; report.html and report.json")
    report.add_argument("model", help="zoo:NAME, hf:owner/name or a folder")
    report.add_argument("--data", help="test pictures; those that the model was trained on unless given")
    report.add_argument("--n", type=int, default=200, help="test pictures; 200 unless given")
    report.add_argument("--attacked", type=int, default=16, metavar="N", help="pictures for AutoAttack; 16")
    report.add_argument("--seed", type=int, default=0, help="draws attacks, corruptions and regions")
    report.add_argument("--out", type=Path, default=Path("."), metavar="FOLDER", help="where both files go")
    report.add_argument("--quiet", action="store_true", help="no progress bar")
    report.set_defaults(run=write_report)

    app = commands.add_parser("app", help="serve the app")
    app.add_argument(
        "--address", default="localhost", help="where it listens: localhost unless given; 0.0.0.0 for a class network"
    )
    app.add_argument("--port", type=int, help="8501 unless given")
    app.add_argument("options", nargs="*", metavar="OPTION", help="of streamlit run: -- --server.headless true")
    app.set_defaults(run=serve_app)
    return top


def side_by_side(command: argparse.ArgumentParser) -> None:
    """The options of a command that may carry out several runs at a time."""
    command.add_argument("--executor", default="serial", help="serial, threads, processes, or dask:ADDRESS")
    command.add_argument("--workers", type=int, default=1, metavar="N", help="how many run side by side")


def list_methods(arguments: argparse.Namespace) -> None:
    """Print every registered method with its knobs."""
    from lab.catalogue import as_text, catalogue

    entries = catalogue()
    print(json.dumps(entries, indent=2, ensure_ascii=False) if arguments.json else as_text(entries))


def run_recipe(arguments: argparse.Namespace) -> None:
    """Run a recipe with one or more seeds and print its figures, the page's own."""
    if arguments.seeds < 1:
        raise ValueError(f"--seeds {arguments.seeds} must be 1 or more.")
    recipe = _read(arguments.recipe)
    results = []
    for seed in range(recipe.seed, recipe.seed + arguments.seeds):
        result = _finished(recipe.replace(seed=seed), arguments.quiet)
        results.append(result)
        if arguments.json:
            print(json.dumps(result.row()), flush=True)
    if not arguments.json:
        from lab.catalogue import table

        print(table(results))


def train_recipe(arguments: argparse.Namespace) -> None:
    """Train, score and save a model, with the recipe beside it."""
    from core.training import CONSISTENT, ROBUST, TRAININGS

    recipe = _read(arguments.recipe)
    if type(recipe.method) not in (*TRAININGS, *ROBUST, *CONSISTENT):
        name = type(recipe.method).__name__
        raise ValueError(f"{arguments.recipe} runs {name}, a {recipe.kind.name}, not a training.")
    result = _finished(recipe, arguments.quiet)
    from lab import saving
    from lab.catalogue import table

    print(table([result]))
    print(f"saved to {saving.save(result, arguments.out)}")


def run_sweep(arguments: argparse.Namespace) -> None:
    """Run many recipes and print a JSON line for each as it finishes."""
    from lab.history import history
    from lab.run_log import RunLog
    from lab.sweep import recipes_of, sweep

    recipes = recipes_of(arguments.file.read_text(encoding="utf-8"))
    past = RunLog(arguments.store) if arguments.store else history()
    with _executor(arguments.executor, arguments.workers) as executor:
        rows = sweep(recipes, executor, past, fresh=arguments.fresh)
        with closing(rows):  # what has not begun when it is interrupted is given up
            for done, row in enumerate(rows, start=1):
                print(json.dumps(row), flush=True)
                print(f"{done} of {len(recipes)}", file=sys.stderr)


def print_paper(arguments: argparse.Namespace) -> None:
    """Print a paper's protocol and our table, or the verdicts on all claims, from stored runs; with --run, after
    computing what is missing."""
    from lab import claims, papers
    from lab.claims.text import text
    from lab.run_log import stored

    every = arguments.name == ALL_PAPERS
    with _executor(arguments.executor, arguments.workers) as executor:
        for name in (papers.NAMES if every else [arguments.name]) if arguments.anew else ():
            for place, total, row in papers.run(name, executor):
                known = "error: " + row["error"] if "error" in row else "known" if row.get("known") else "done"
                print(f"{name}, {place} of {total}: {known}", file=sys.stderr)
    print(text(claims.all_judged(claims.stored())) if every else papers.text(arguments.name, stored()))


def write_report(arguments: argparse.Namespace) -> None:
    """Measure a model's robustness and write the report's two files."""
    from core.attacks import RobustnessReport
    from lab import loading, robustness_file
    from lab.recipes import Recipe

    data = arguments.data or loading.classifier(arguments.model).card.data or "scenes"
    method = RobustnessReport(attacked=arguments.attacked)
    result = _finished(Recipe(method, arguments.model, data, {"n": arguments.n}, arguments.seed), arguments.quiet)
    if (came_out := result.conclusion) is not None:
        print(came_out.text)
    for file in robustness_file.write(result, arguments.out):
        print(f"saved to {file}")


def serve_app(arguments: argparse.Namespace) -> None:
    """Serve the app that is installed beside this package, as `streamlit run` does."""
    app = Path(__file__).resolve().parents[1] / "app.py"
    given = {"--server.address": arguments.address, "--server.port": arguments.port}
    own = [text for name, value in given.items() if value is not None for text in (name, str(value))]
    sys.argv = ["streamlit", "run", str(app), *own, *arguments.options]
    runpy.run_module("streamlit", run_name="__main__")


def _executor(name: str, workers: int) -> AbstractContextManager[Executor | None]:
    if workers < 1:
        raise ValueError(f"--workers {workers} must be 1 or more.")
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    if name == "serial":
        return nullcontext()
    if name == "threads":
        return ThreadPoolExecutor(workers, initializer=_one_core)
    if name == "processes":
        import multiprocessing

        spawn = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads
        return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_one_core)
    if name.startswith("dask:"):
        try:
            from dask.distributed import Client
        except ImportError:
            raise ValueError("Dask is not installed; install the extra with pip install 'perturb-lab[dask]'.") from None
        return Client(name.removeprefix("dask:")).get_executor()
    raise ValueError(f"--executor {name!r} is not one of serial, threads, processes, dask:ADDRESS.")


def _one_core() -> None:
    """Runs side by side take one core each: two that each want all slow each other twentyfold."""
    import torch

    torch.set_num_threads(1)


def _read(path: Path) -> Recipe:
    from lab.recipes import Recipe

    return Recipe.from_json(path.read_text(encoding="utf-8"))


def _finished(recipe: Recipe, quiet: bool) -> Result:
    from core.runs import finish

    return finish(recipe.run(), bar=not quiet)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
