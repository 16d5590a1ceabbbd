"""Secrets that are handed on by their names, for whoever looks them up when they are needed."""

from __future__ import annotations

from .expressions import references
from .expressions.syntax import Template
from .graph import DictValue, ListValue, Literal, Value


def secret_name(template: Template) -> str | None:
    """The name of the secret that a template is, or None."""
    found = references(template)
    if template.single is None or len(found) != 1 or found[0].root != "secrets":
        return None
    path = found[0].path
    is_bare = len(path) == 1 and template.single.source.strip().startswith("secrets")
    return str(path[0]) if is_bare else None


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
