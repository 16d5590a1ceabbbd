"""Secrets that are handed on by their names, for whoever looks them up when they are needed."""

from __future__ import annotations

import ast

from .expressions.syntax import Template
from .graph import DictValue, ListValue, Literal, Value


def secret_name(template: Template) -> str | None:
    """The name of the secret that a template is, and nothing besides; or None."""
    match template.single.tree if template.single is not None else None:
        case ast.Attribute(value=ast.Name(id="secrets"), attr=name):
            return name
        case ast.Subscript(value=ast.Name(id="secrets"), slice=ast.Constant(value=str() as name)):
            return name
        case _:
            return None


def by_name(value: Value) -> Value:
    """A value in which secrets are references, `{"$secret": name}`."""
    match value:
        case Template():
            secret = secret_name(value)
            return value if secret is None else Literal({"$secret": secret})
        case ListValue(items=items):
            return ListValue(tuple(by_name(item) for item in items))
        case DictValue(items=members):
            return DictValue(tuple((key, by_name(member)) for key, member in members))
        case _:
            return value
