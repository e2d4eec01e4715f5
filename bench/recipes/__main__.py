"""The networks of a study, as recipe files for `perturb train FILE --out MODEL`.

    python -m bench.recipes mixing|bias FOLDER [--seeds 3] [--only NAME …]

writes FOLDER/NAME.json for seed 0 and FOLDER/NAME-seed1.json, … for the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.recipes import bias, mixing
from lab.recipes import Recipe

STUDIES = {"mixing": mixing.recipes, "bias": bias.recipes}


def seeded(recipes: dict[str, Recipe], seeds: int) -> dict[str, Recipe]:
    """The recipes with each seed from 0 on, by the name of their file."""
    return {
        name + (f"-seed{seed}" if seed else ""): recipe.replace(seed=seed)
        for name, recipe in recipes.items()
        for seed in range(seeds)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("folder", type=Path, help="where the recipes are written")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default 3)")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these networks alone")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    recipes = {
        name: recipe
        for name, recipe in STUDIES[arguments.study]().items()
        if not arguments.only or name in arguments.only
    }
    for name, recipe in seeded(recipes, arguments.seeds).items():
        (arguments.folder / f"{name}.json").write_text(recipe.to_json(indent=2) + "\n")


if __name__ == "__main__":
    main()
