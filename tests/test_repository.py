"""What can be checked by reading the repository: packaging, container, dependencies, sizes, addresses, commands."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from setuptools import find_namespace_packages

from tests.support.import_graph import circle, graph
from tests.support.project import ROOT, ours

LAYERS = ["core", "models", "lab", "ui", "pages"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
README = (ROOT / "README.md").read_text()
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MEGABYTE = 1_000_000


def sources() -> list[Path]:
    return [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments) pairs, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def docker(name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == name]


def front_matter() -> dict:
    return yaml.safe_load(README.split("---\n")[1])


def commands(text: str) -> list[str]:
    """Every line of a text's shell blocks."""
    blocks = re.findall(r"```(?:sh|powershell)\n(.*?)```", text, re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]


# Packaging


def test_the_packages_are_the_folders_that_hold_code():
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in sources()}
    assert folders == set(find_namespace_packages(str(ROOT), **PACKAGES)) - {"recipes"}


def test_constraints_are_exact_and_hold_no_address():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


def test_constraints_satisfy_every_range():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = dict(line.split("==") for line in lines)
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *extras["test"], *extras["lint"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(pinned[wanted.name]), text


def test_the_version_is_the_same_everywhere():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]


def test_the_makefile_has_its_targets():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"app", "test", "lint", "zoo"} <= targets


def test_ci_is_executable_and_ends_with_the_tests():
    path = ROOT / ".ci" / "run"
    assert path.stat().st_mode & 0o100
    assert re.match(r"make .*\btest\b", path.read_text().rstrip().splitlines()[-1])


# Container and Space


def test_the_space_is_a_docker_space_on_the_port_that_is_served():
    front = front_matter()
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert front["sdk"] == "docker"
    assert front["license"] == "apache-2.0"
    assert {front["colorFrom"], front["colorTo"]} <= colours
    assert len(front["short_description"]) <= 60
    port = str(front["app_port"])
    assert docker("EXPOSE") == [port]
    assert f"--server.port {port} " in docker("CMD")[0]
    assert f"http://127.0.0.1:{port}/" in docker("HEALTHCHECK")[0]


def test_the_container_runs_as_user_1000_and_can_write_its_caches():
    names = [instruction for instruction, _ in instructions()]
    assert "useradd -m -u 1000 user" in docker("RUN")[0]
    assert docker("USER") == ["user"]
    assert names.index("USER") < names.index("COPY")
    assert all(copied.startswith("--chown=user ") for copied in docker("COPY"))
    environment = dict(pair.split("=", 1) for line in docker("ENV") for pair in shlex.split(line))
    assert environment["HF_HOME"].startswith(environment["HOME"] + "/")
    assert any(environment["HF_HOME"] in line and line.startswith("mkdir -p") for line in docker("RUN"))
    assert docker("WORKDIR")[0].startswith(environment["HOME"] + "/")


def test_the_container_asks_the_health_check_that_app_py_serves():
    path = re.search(r"http://127\.0\.0\.1:\d+(/\w+)", docker("HEALTHCHECK")[0])
    assert path
    assert f'Route("{path[1]}"' in (ROOT / "app.py").read_text()


def test_the_container_installs_as_the_docs_say():
    running = (ROOT / "docs" / "running.md").read_text()
    said = commands(running)
    installs = [line for line in docker("RUN") if line.startswith("pip install")]
    assert len(installs) == 2
    for line in installs:
        assert "-c constraints.txt" in line
        assert line.replace(" --no-cache-dir", "") in said
    index = docker("ARG")[0].removeprefix("TORCH_INDEX=")
    assert f"TORCH_INDEX={index}" in said
    assert set(re.findall(r"TORCH_INDEX=(\S+)", README + running)) == {index}


def test_the_container_has_the_python_that_the_project_asks_for():
    version = re.match(r"python:([\d.]+)", docker("FROM")[0])
    assert version
    assert SpecifierSet(PROJECT["requires-python"]).contains(version[1])


def test_nothing_that_is_needed_stays_out_of_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    needed = {"app.py", "pyproject.toml", "constraints.txt", "README.md", "LICENSE", "NOTICE", ".streamlit", *LAYERS}
    assert not {*needed, "recipes"} & {entry.rstrip("/") for entry in ignored}


# The app's configuration


def leaves(table: dict, prefix: str = ""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def test_every_option_of_the_config_exists_and_none_is_unsafe():
    from streamlit import config

    from lab.settings import Settings

    options = dict(leaves(tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())))
    assert not set(options) - set(config._config_options_template)
    assert "theme.base" not in options
    assert options["client.showErrorDetails"] == "none"
    assert options["browser.gatherUsageStats"] is False
    assert not options.get("server.enableAgentApi", False)
    assert options["server.maxUploadSize"] * 2**20 == Settings().max_upload_bytes
    for side in ("light", "dark"):
        assert len(options[f"theme.{side}.chartSequentialColors"]) == 10
        assert len(options[f"theme.{side}.chartDivergingColors"]) == 10


# Dependencies, and what may be in the repository at all


def imports(tree: ast.AST) -> set[str]:
    """The top-level packages that are imported anywhere in a file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_dependencies_run_one_way(layer):
    above = {*LAYERS[LAYERS.index(layer) + 1 :], "app", "bench", "tests"}
    if layer in ("core", "models", "lab"):
        above.add("streamlit")
    for path in (ROOT / layer).rglob("*.py"):
        wrong = imports(ast.parse(path.read_text())) & above
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_no_pickle_is_read_or_shipped():
    for path in sources():
        tree = ast.parse(path.read_text())
        assert not imports(tree) & {"pickle", "dill", "joblib"}, path
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert "torch.load" not in calls, path
    unwanted = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".npy", ".npz"}
    assert not [path for path in ours() if path.suffix in unwanted]


def test_the_zoo_stays_small():
    sizes = {path: path.stat().st_size for path in (ROOT / "models" / "zoo").rglob("*") if path.is_file()}
    assert all(size <= 8 * MEGABYTE for size in sizes.values())
    assert sum(sizes.values()) <= 70 * MEGABYTE


def test_every_zoo_model_has_what_it_needs():
    for folder in (path for path in (ROOT / "models" / "zoo").iterdir() if path.is_dir()):
        held = {path.name for path in folder.iterdir()}
        assert {"config.json", "model.safetensors", "recipe.json"} <= held, folder.name


def test_no_machine_and_no_registry_is_named():
    machine = re.compile(r"(?<![\w.])/(work|root|opt|Users)/|(?<![\w.])/home/(?!user\b)|\.library|shared/hub")
    registry = re.compile(r"pypi|pythonhosted|/simple/|--index-url|anaconda\.org")
    pytorch = re.compile(r"download\.pytorch\.org")
    for path in ours():
        if path == Path(__file__) or path.suffix in (".safetensors", ".png", ".jpg", ".webp"):
            continue
        text, name = path.read_text(), path.relative_to(ROOT).as_posix()
        assert not machine.search(text), f"{name} names a path of one machine"
        assert not registry.search(text), f"{name} names a package registry"
        assert not pytorch.search(text) or name in ("docs/running.md", "Dockerfile"), f"{name} names PyTorch's index"


# README and docs


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 220


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_and_files_that_the_text_names_exist(page):
    text = page.read_text()
    named = [page.parent / name for name in re.findall(r"\]\((?!https?:)([^)#]+)", text)]
    named += [ROOT / name for name in re.findall(r"\brecipes/[\w-]+\.json", text) if name != "recipes/noise.json"]
    assert not [path for path in named if not path.exists()]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_commands_that_the_text_names_exist(page):
    """The command line takes them, make has the target, bench the module, and stored tables name their own command."""
    from lab.cli import parser

    text = page.read_text()
    said = commands(text) + re.findall(r"`((?:perturb|make|python -m) [^`]+)`", text)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in said:
        words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
        if words[:1] == ["perturb"] and "--version" not in words:
            parser().parse_args(words[1:])
        elif words[:1] == ["make"]:
            assert words[1] in targets, line
        elif words[:2] == ["python", "-m"]:
            module = ROOT / words[2].replace(".", "/")
            assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file(), line


def test_no_modules_import_each_other_in_a_circle():
    found = circle(graph(ROOT, [*LAYERS, "bench"]))
    assert not found, " → ".join(found)
