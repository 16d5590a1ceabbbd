"""Which module may import which, and what a cold start loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PARTS = {
    "runtime": "runtime/nodegx/runtime",
    "server": "runtime/nodegx/server",
    "console": "runtime/nodegx/console",
    "compiler": "compiler/nodegx/compiler",
    "cli": "compiler/nodegx/cli",
    "providers": "providers/nodegx/providers",
    "infra": "infra/nodegx/infra",
}

ALLOWED: dict[str, tuple[str, ...]] = {
    "runtime": ("nodegx.runtime",),
    "server": ("nodegx.runtime", "nodegx.server", "nodegx.console", "nodegx.compiler"),
    "console": ("nodegx.runtime", "nodegx.console"),
    "compiler": (
        *("nodegx.compiler", "nodegx.runtime.catalog", "nodegx.runtime.node"),
        "nodegx.runtime.errors",  # the fields of an error that expressions read
        "nodegx.runtime.durations",
    ),
    "infra": (
        *("nodegx.infra", "nodegx.compiler.manifest", "nodegx.compiler.targets"),
        "nodegx.runtime.history.dynamodb_table",
    ),
    "providers": (
        *("nodegx.providers", "nodegx.infra", "nodegx.compiler.manifest"),
        *("nodegx.compiler.build", "nodegx.compiler.targets", "nodegx.runtime"),
        *("nodegx.compiler.project", "nodegx.compiler.diagnostics"),
    ),
    "cli": ("nodegx",),
}
"""What each part may import of ours, by prefix."""

HEAVY = frozenset(
    {
        *("boto3", "botocore", "pydantic", "starlette", "httpx", "uvicorn", "jinja2", "click"),
        *("rich", "jmespath", "jsonschema", "jsonpath", "jwt", "cryptography", "google", "pulumi"),
        *("sqlite3", "http.client", "ssl", "urllib.request", "inspect", "zoneinfo"),
    }
)


@dataclass(frozen=True)
class Import:
    """One import statement. `lazy` ones stand inside a function, or are for type checkers."""

    module: str
    line: int
    lazy: bool


def modules(part: str) -> list[Path]:
    return sorted((ROOT / PARTS[part]).rglob("*.py"))


def dotted(path: Path) -> str:
    """The name under which a module is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[Import]:
    """All imports of a module, relative ones resolved."""
    package = dotted(path).split(".")
    if path.name != "__init__.py":
        package.pop()

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            for name in node.names:
                inner = f"{stem}.{name.name}"
                yield Import(inner if is_module(inner) else stem, node.lineno, lazy)
        else:
            for child in ast.iter_child_nodes(node):
                yield from visit(child, lazy or is_deferred(node, child))

    yield from visit(ast.parse(path.read_text("utf-8")), lazy=False)


def is_deferred(node: ast.AST, child: ast.AST) -> bool:
    """Whether `child` of `node` does not run when the module is imported."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return True
    if isinstance(node, ast.If) and child in node.body:
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return False


def is_module(name: str) -> bool:
    stem = name.replace(".", "/")
    return any(
        (ROOT / top / f"{stem}.py").exists() or (ROOT / top / stem).is_dir()
        for top in ("runtime", "compiler", "providers", "infra")
    )


def is_within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("part", PARTS)
def test_parts_import_only_what_lies_below_them(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.module}"
        for path in modules(part)
        for found in imports(path)
        if is_within(found.module, ("nodegx",)) and not is_within(found.module, ALLOWED[part])
    ]
    assert not wrong, "\n".join(wrong)


def test_the_runtime_needs_only_the_standard_library_at_import() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.module}"
        for path in modules("runtime")
        for found in imports(path)
        if not found.lazy
        and found.module.partition(".")[0] not in sys.stdlib_module_names | {"nodegx"}
    ]
    assert not wrong, "\n".join(wrong)


def test_importing_the_runtime_loads_nothing_heavy() -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import nodegx.runtime"],
        capture_output=True,
        text=True,
        check=True,
    )
    bare = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import asyncio, json"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = imported(run.stderr) - imported(bare.stderr)
    heavy = sorted(name for name in loaded if name in HEAVY or name.partition(".")[0] in HEAVY)
    foreign = sorted(
        name
        for name in loaded
        if name.partition(".")[0] not in sys.stdlib_module_names | {"nodegx", "org"}
    )  # `copy` looks for Jython's `org.python.core`
    assert "nodegx.runtime" in loaded
    assert not heavy
    assert not foreign
    assert not any(name.startswith("nodegx.runtime.catalog") for name in loaded)


def imported(report: str) -> set[str]:
    """The modules in the output of `-X importtime`."""
    return {line.rpartition("|")[2].strip() for line in report.splitlines() if "|" in line}


def test_no_part_is_forgotten() -> None:
    found = {
        str(path.relative_to(ROOT))
        for top in ("runtime", "compiler", "providers", "infra")
        for path in (ROOT / top / "nodegx").glob("*")
        if path.is_dir() and path.name != "__pycache__"
    }
    assert found <= set(PARTS.values())
    assert not list(ROOT.glob("*/nodegx/__init__.py")), "nodegx is a namespace"
