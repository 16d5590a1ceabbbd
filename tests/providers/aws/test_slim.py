from __future__ import annotations

import ast

import pytest
from nodegx.compiler.build.closure import runtime_root
from nodegx.providers.aws.slim import without_docstrings


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
