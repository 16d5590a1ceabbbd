"""What compiled expressions may consist of, stated without the compiler's help."""

from __future__ import annotations

import ast
from collections.abc import Collection

NODES: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword),
    *(ast.List, ast.Tuple, ast.Set, ast.Dict, ast.IfExp, ast.JoinedStr, ast.FormattedValue),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Compare),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn),
    *(ast.Load, ast.Store),
)
BUILTINS = frozenset(
    {
        *("len", "min", "max", "sum", "any", "all", "abs", "round", "int", "bool", "list", "set"),
        *("zip", "enumerate"),
    }
)
RUN = frozenset({"vars", "env", "secrets", "execution", "now", "uuid", "random"})
EXECUTION = frozenset({"id", "workflow", "started", "attempt"})
METHODS = frozenset(
    {
        *("upper", "lower", "title", "capitalize", "casefold", "swapcase", "strip", "lstrip"),
        *("rstrip", "isdigit", "isnumeric", "isdecimal", "isalpha", "isalnum", "isspace"),
        *("isupper", "islower", "startswith", "endswith", "removeprefix", "removesuffix"),
        *("split", "rsplit", "splitlines", "partition", "rpartition", "find", "rfind", "replace"),
        *("index", "count", "get", "keys", "values", "items"),
    }
)


def violations(code: str, names: Collection[str], functions: Collection[str]) -> list[str]:
    """Everything in a compiled expression that is not allowed there.

    Args:
        code: the Python.
        names: the variables that the handler has.
        functions: what `fx` has.
    """
    tree = ast.parse(code, mode="eval").body
    found: list[str] = []
    local = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension)
        for target in ast.walk(node.target)
        if isinstance(target, ast.Name)
    }
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, NODES):
            found.append(type(node).__name__)
        elif isinstance(node, ast.Name):
            known = {"fx", "run", *names, *local} | (BUILTINS if id(node) in called else set())
            found += [] if node.id in known and "__" not in node.id else [node.id]
        elif isinstance(node, ast.Attribute) and not _allowed(node, id(node) in called, functions):
            found.append(f".{node.attr}")
        elif isinstance(node, ast.FormattedValue) and node.conversion != -1:
            found.append("conversion")
    found += [f"hidden {name}" for name in local & {"fx", "run", *BUILTINS}]
    return found


def _allowed(node: ast.Attribute, called: bool, functions: Collection[str]) -> bool:
    match node.value:
        case ast.Name("fx"):
            return called and node.attr in functions
        case ast.Name("run"):
            return node.attr in RUN
        case ast.Attribute(ast.Name("run"), "execution"):
            return node.attr in EXECUTION
        case _:
            return called and node.attr in METHODS
