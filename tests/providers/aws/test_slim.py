from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from nodegx.compiler.build.closure import runtime_root
from nodegx.providers.aws.slim import slim, without_docstrings, without_types

pytestmark = pytest.mark.slow


class Texts(ast.NodeTransformer):
    """Drops docstrings from trees."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kept = [
                each
                for each in node.body
                if not (
                    isinstance(each, ast.Expr)
                    and isinstance(each.value, ast.Constant)
                    and isinstance(each.value.value, str)
                )
            ]
            node.body = kept or ([] if isinstance(node, ast.Module) else [ast.Pass()])
        return node


class Types(ast.NodeTransformer):
    """Drops from trees what only type checkers read."""

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        fields, self.fields = self.fields, False
        self.generic_visit(node)
        self.fields = fields
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = function
    fields = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        fields, self.fields = self.fields, True
        self.generic_visit(node)
        self.fields = fields
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self.fields:
            node.annotation = ast.Name("type")
        elif node.value is not None and isinstance(node.target, ast.Name):
            return ast.Assign([node.target], node.value)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module == "__future__" else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse:
            return None
        return self.generic_visit(node)


def bare(source: bytes) -> str:
    return ast.dump(Texts().visit(ast.parse(source)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b'"""Doc."""\nx = 1\n', b"\nx = 1\n"),
        (b'x = 1\n"""About\nx."""\ny = 2\n', b"x = 1\n\n\ny = 2\n"),
        (b'def f():\n    """Doc."""\n    return 1\n', b"def f():\n\n    return 1\n"),
        (b'class A:\n    """All there is."""\n', b'class A:\n    """All there is."""\n'),
        (b'def f(): "doc"; return 1\n', b'def f(): "doc"; return 1\n'),
        (b'"""Only."""\n', b"\n"),
        (b'x = """no\ndoc"""\n', b'x = """no\ndoc"""\n'),
        (b'if x:\n    "a value"\n', b'if x:\n    "a value"\n'),
        ('"""Ümläut."""\nx = "ä"\n'.encode(), '\nx = "ä"\n'.encode()),
    ],
)
def test_docstrings_leave_empty_lines(source: bytes, expected: bytes) -> None:
    assert without_docstrings(source) == expected


def test_the_runtime_stays_what_it_is() -> None:
    saved = whole = 0
    for path in runtime_root().rglob("*.py"):
        source = path.read_bytes()
        slim = without_docstrings(source)
        assert slim.count(b"\n") == source.count(b"\n"), path
        assert bare(slim) == bare(source), path
        first = {n.name: n.lineno for n in ast.walk(ast.parse(source)) if hasattr(n, "name")}
        assert first == {n.name: n.lineno for n in ast.walk(ast.parse(slim)) if hasattr(n, "name")}
        saved += len(source) - len(slim)
        whole += len(source)
    assert saved > 0.15 * whole


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"def f(a: int, *b: str, c: x = 1, **d: y) -> z: pass\n", b"def f(a, *b, c = 1, **d): pass\n"),
        (b"def f(\n    a: dict[\n        int, str\n    ],\n) -> int:\n    pass\n", b"def f(\n    a,\n\n\n):\n    pass\n"),
        (b"def f() -> dict[\n    a, b\n]:\n    pass\n", b"def f() -> dict[\n    a, b\n]:\n    pass\n"),
        (b"def f(a: (int)=1) -> (int): return a\n", b"def f(a=1): return a\n"),
        (b"class A:\n    a: b[c] = 1\n    def f(self): x: int = 1\n", b"class A:\n    a: int = 1\n    def f(self): x = 1\n"),
        (b"class A:\n    a: ClassVar[b] = 1\n    b: c[\n d]\n", b"class A:\n    a: ClassVar[b] = 1\n    b: c[\n d]\n"),
        (b"from __future__ import annotations\nclass A:\n    a: b\n", b"\nclass A:\n    a: int\n"),
        (b"from __future__ import annotations\nclass A:\n    a: b[\n c]\n", b"from __future__ import annotations\nclass A:\n    a: b[\n c]\n"),
        (b"from __future__ import annotations\ndef f() -> b[\n c]: pass\n", b"from __future__ import annotations\ndef f() -> b[\n c]: pass\n"),
        (b"if TYPE_CHECKING:\n    import a\n    import b\nx = 1\n", b"\n\n\nx = 1\n"),
        (b"if TYPE_CHECKING:\n    import a\nelse:\n    a = 1\n", b"if TYPE_CHECKING:\n    import a\nelse:\n    a = 1\n"),
        ('def ä(ö: "ü" = "ß") -> "é": return ö\n'.encode(), 'def ä(ö = "ß"): return ö\n'.encode()),
        (b"def f():\n    x: int\n    self.y: int = 1\n", b"def f():\n    x: int\n    self.y: int = 1\n"),
        (b"x = lambda a: a\ny: int = 1\nz: b\n", b"x = lambda a: a\ny = 1\nz: b\n"),
    ],
)  # fmt: skip
def test_types_leave_no_gap(source: bytes, expected: bytes) -> None:
    assert without_types(source) == expected


def test_the_runtime_without_types_does_the_same() -> None:
    saved = whole = 0
    for path in runtime_root().rglob("*.py"):
        source = without_docstrings(path.read_bytes())
        found = slim(path.read_bytes())
        assert found.count(b"\n") == source.count(b"\n"), path
        kept = ast.parse(found)
        for node in ast.walk(kept):  # results on several lines stay
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.returns = None
        wanted = Types().visit(ast.parse(source))
        assert ast.dump(Types().visit(kept)) == ast.dump(wanted), path
        saved += len(source) - len(found)
        whole += len(source)
    assert saved > 0.06 * whole


def test_the_runtime_without_types_can_be_imported(tmp_path: Path) -> None:
    names: list[str] = []
    for path in runtime_root().rglob("*.py"):
        name = path.relative_to(runtime_root())
        target = tmp_path / "nodegx" / "runtime" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(slim(path.read_bytes()))
        if path.name != "__main__.py":
            parts = name.with_suffix("").parts
            names.append(".".join(("nodegx", "runtime", *parts)).removesuffix(".__init__"))
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        assert not error.name.startswith('nodegx'), error\n"  # others' are not here
    )
    python = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run(
        [python, "-s", "-S", "-c", program, *names],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
