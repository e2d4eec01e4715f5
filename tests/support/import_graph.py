"""Who imports whom among the project's modules, and where that goes round in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

Graph = Mapping[str, set[str]]


def graph(root: Path, packages: Iterable[str]) -> dict[str, set[str]]:
    """Each module with those it imports, also inside functions; what stands under TYPE_CHECKING is left out."""
    files = {name_of(root, file): file for package in packages for file in sorted((root / package).rglob("*.py"))}
    return {name: imports(ast.parse(file.read_text()), files.keys()) - {name} for name, file in files.items()}


def name_of(root: Path, file: Path) -> str:
    """The module's dotted name; a package goes by its folder's."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, known: Iterable[str]) -> set[str]:
    """The known modules that a source imports."""
    known, found = set(known), set()
    hints = {id(node) for block in ast.walk(tree) if is_hint(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in hints:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & known or {node.module}
            found |= {node.module} if inner - known else set()
    return found & known


def is_hint(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def circle(graph: Graph) -> list[str]:
    """The modules of one circle in the order in which they import each other, the first one again at the end; or []."""
    done: set[str] = set()
    for start in sorted(graph):
        path: list[str] = []
        stack = [(start, iter(sorted(graph[start])))] if start not in done else []
        path += [start] if stack else []
        while stack:
            node, others = stack[-1]
            other = next(others, None)
            if other is None:
                done.add(node)
                stack.pop()
                path.pop()
            elif other in path:
                return [*path[path.index(other) :], other]
            elif other not in done:
                stack.append((other, iter(sorted(graph[other]))))
                path.append(other)
    return []
