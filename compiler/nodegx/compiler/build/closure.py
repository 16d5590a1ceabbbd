"""Which runtime modules a handler needs: the static import closure over their sources."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "nodegx.runtime"
ENTRY = f"{PACKAGE}.__main__"
"""Part of runnable subsets, so that `python -m nodegx.runtime handler.py` works beside a handler."""


@cache
def runtime_root() -> Path:
    """The directory that holds the sources of `nodegx.runtime`."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed", name=PACKAGE)
    return Path(next(iter(spec.submodule_search_locations)))


def runtime_files(*sources: str, runnable: bool = True) -> tuple[str, ...]:
    """Source files that modules need, relative to `nodegx/runtime`, sorted, with `/`.

    Follows every import of the package's own modules, those inside functions too; leaves out what
    is imported for type checkers only.

    Args:
        sources: source texts: of a handler, and of what a target puts beside it.
        runnable: whether `python -m nodegx.runtime handler.py` has to work.
    """
    wanted = {ENTRY} if runnable else set[str]()
    for source in sources:
        wanted.update(_imported_by(source))
    return _closure(frozenset(wanted))


def _imported_by(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    # Handlers import at their top. Only what a user's own code imports needs the long way round.
    if sum(PACKAGE in ast.unparse(node) for node in top) == source.count(PACKAGE):
        tree = ast.Module(list[ast.stmt](top), [])
    return _imports(_run_time_nodes(tree), "handler", is_package=False)


@cache
def _closure(wanted: frozenset[str]) -> tuple[str, ...]:
    found: dict[str, Path] = {}
    queue = [PACKAGE, *sorted(wanted)]
    while queue:
        module = queue.pop()
        if module in found or (path := _source(module)) is None:
            continue
        found[module] = path
        queue.append(module.rpartition(".")[0])
        queue.extend(_dependencies(module))
    root = runtime_root()
    return tuple(sorted(path.relative_to(root).as_posix() for path in found.values()))


@cache
def _source(module: str) -> Path | None:
    """The file of a module of ours; None where there is none, as for a name inside a module."""
    if module != PACKAGE and not module.startswith(PACKAGE + "."):
        return None
    base = runtime_root().joinpath(*module.removeprefix(PACKAGE).strip(".").split("."))
    for candidate in (base / "__init__.py", base.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _dependencies(module: str) -> frozenset[str]:
    path = _source(module)
    if path is None:
        return frozenset()
    tree = ast.parse(path.read_bytes(), str(path))
    nodes = ast.walk(tree) if _is_lazy(tree) else _run_time_nodes(tree)
    return frozenset(_imports(nodes, module, is_package=path.name == "__init__.py"))


def _is_lazy(tree: ast.Module) -> bool:
    """Whether the module imports what it offers only when asked for it (PEP 562): type checkers
    are told about all of it."""
    return any(
        isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body
    )


def _imports(nodes: Iterable[ast.AST], module: str, *, is_package: bool) -> Iterator[str]:
    """Names that the module imports, absolute. `from a import b` gives both `a` and `a.b`: only
    the file system knows whether `b` is a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package=is_package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    up = node.level - 1 if is_package else node.level
    parents = module.split(".")
    base = ".".join(parents[: len(parents) - up])
    return f"{base}.{node.module}" if node.module else base


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    queue = [tree]
    while queue:
        node = queue.pop()
        yield node
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            queue.extend(node.orelse)
        else:
            queue.extend(ast.iter_child_nodes(node))


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"
