"""Which names an expression reads."""

from __future__ import annotations

import ast

import pytest
from nodegx.compiler.expressions import (
    Binding,
    ExpressionError,
    Names,
    Reference,
    parse_expression,
    parse_template,
    references,
    value,
)
from nodegx.compiler.expressions.syntax import Template
from nodegx.runtime.catalog.types import Type


def read(text: str) -> list[tuple[str, tuple[str | int, ...], int]]:
    """Root, path and offset of every reference."""
    template = parse_template(text)
    assert isinstance(template, Template)
    return [(found.root, found.path, found.offset) for found in references(template)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a }}", [("a", (), 3)]),
        ("{{ a.b[0]['c'][-1] }}", [("a", ("b", 0, "c", -1), 3)]),
        ("{{ b + a }} {{ a.x }}", [("b", (), 3), ("a", (), 7), ("a", ("x",), 15)]),
        ("{{ a.b.items() }}", [("a", ("b",), 3)]),
        ("{{ len(a.b) }}", [("a", ("b",), 7)]),
        ("{{ a[b.c].d }}", [("a", (), 3), ("b", ("c",), 5)]),
        ("{{ a[1:b] }}", [("a", (), 3), ("b", (), 7)]),
        ("{{ nodes['x y'].z }}", [("nodes", ("x y", "z"), 3)]),
        ("{{ [x.a + b for x in c] }}", [("b", (), 10), ("c", (), 21)]),
        ("{{ [x for x in x] }}", [("x", (), 15)]),
        ("{{ [x for y in a for x in y.b] + [y] }}", [("a", (), 15), ("y", (), 34)]),
        ("{{ {k: v for k, v in a.items() if k != b} }}", [("a", (), 21), ("b", (), 39)]),
        ("{{ f'{a.b} {c:.2f}' }}", [("a", ("b",), 6), ("c", (), 12)]),
        ("{{ true and null }}", []),
    ],
)
def test_references_are_free_names_with_their_paths(
    text: str, expected: list[tuple[str, tuple[str | int, ...], int]]
) -> None:
    assert read(text) == expected


def test_every_step_of_a_path_has_a_place() -> None:
    (found,) = references(parse_expression("order.body['a'][0]"))
    assert found == Reference("order", ("body", "a", 0), 0, (6, 11, 16))


def test_bindings_know_ports_and_leave_json_alone() -> None:
    error = Binding(ast.Name("charge_error"), Type.OBJECT, {"message": value(ast.Name("m"))})
    charge = Binding(ast.Name("charge"), members={"error": error}, open=True)
    names = Names({"charge": charge}.get)

    def resolved(*path: str | int) -> tuple[str, int]:
        found = names.resolve(Reference("charge", path, 0, tuple(range(len(path)))))
        return ast.unparse(found.code), found.consumed

    assert resolved() == ("charge", 0)
    assert resolved("body", "error") == ("charge", 0)
    assert resolved("error", "message", "x") == ("m", 2)
    with pytest.raises(ExpressionError, match=r"`charge\.error` has no key 'code'") as raised:
        resolved("error", "code")
    assert raised.value.offset == 1


def test_variables_are_open_where_the_project_is_unknown() -> None:
    names = Names({}.get)
    assert names.resolve(Reference("vars", ("a",), 0, (5,))).consumed == 0
    found = names.resolve(Reference("env", ("A",), 0, (4,)))
    assert (ast.unparse(found.code), found.consumed, found.type) == ("run.env['A']", 1, "string")
