"""A workflow's names, as an expression might see them."""

from __future__ import annotations

import ast

import pytest
from nodegx.compiler.expressions import Binding, Names, value
from nodegx.runtime.catalog.types import Type


def name(identifier: str) -> ast.expr:
    """A variable of the handler."""
    return ast.Name(identifier, ast.Load())


def port(node: str, attribute: str, type: Type = Type.ANY) -> Binding:
    """A port of a node."""
    return value(ast.Attribute(name(node), attribute, ast.Load()), type)


@pytest.fixture
def names() -> Names:
    """`order` has ports, `summary` is plain JSON, `item` and `index` are those of a loop."""
    as_dict = ast.Call(ast.Attribute(name("order"), "_asdict", ast.Load()), [], [])
    order = Binding(
        as_dict,
        Type.OBJECT,
        {
            "body": port("order", "body"),
            "method": port("order", "method", Type.STRING),
            "size": port("order", "size", Type.INTEGER),
            "tags": port("order", "tags", Type.ARRAY),
        },
        noun="port",
    )
    bindings = {
        "order": order,
        "summary": value(name("summary")),
        "item": value(name("item")),
        "index": value(name("index"), Type.INTEGER),
    }
    by_id = {"price list": value(name("price_list"))}
    return Names(
        bindings.get,
        nodes=by_id.get,
        available=lambda: ("order", "summary"),
        vars={"url": "https://example.com", "rate": 0.19, "flags": {}},
        env={"REGION"},
    )
