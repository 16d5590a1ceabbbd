"""The whitelist: which Python syntax an expression may consist of."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from .errors import ExpressionError
from .syntax import Expression

MAX_NODES = 1_500
"""Nodes of the syntax tree of one expression."""
MAX_DEPTH = 100
"""Nesting of the syntax tree."""
MAX_LOOPS = 4
"""`for`s in one expression."""
MAX_INTEGER = 10**18

_JSON_WORDS = {"null": None, "true": True, "false": False}
_FOREIGN_WORDS = {
    "undefined": "write null",
    "NaN": "there is no NaN in JSON; write null",
    "Infinity": "there is no Infinity in JSON; write null",
    "this": "write the node's name, as in order.body",
    "self": "write the node's name, as in order.body",
}
_FORMAT_SPEC = re.compile(r"(?:.?[<>^])?[+ -]?#?0?\d{0,3}[,_]?(?:\.\d{1,2})?[dfFeEgGnsxXob%]?")
_CONVERSIONS = {-1, ord("s")}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parse(source: str, start: int) -> Expression:
    """Parses scanned `source`, which starts at `start` in its template.

    Raises:
        ExpressionError: the syntax is wrong or not allowed.
    """
    stripped = source.strip()
    offset = start + len(source) - len(source.lstrip())
    if not stripped:
        raise ExpressionError("the expression is empty", max(start - 2, 0), "write a value")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        raise _syntax_error(error, stripped, offset) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("the expression is too deeply nested", offset) from None
    places = Places(stripped, offset)
    _check(tree, places)
    return Expression(stripped, offset, _JsonWords().visit(tree))


class Places:
    """Turns the parser's positions (line, UTF-8 byte) into offsets in the template's text."""

    def __init__(self, source: str, offset: int) -> None:
        self._lines = source.split("\n")
        self._starts = [offset]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def __call__(self, node: ast.AST) -> int:
        """Where a node starts."""
        return self._offset(getattr(node, "lineno", None), getattr(node, "col_offset", 0))

    def member(self, node: ast.Attribute) -> int:
        """Where the name after the last dot starts."""
        return self._offset(node.end_lineno, (node.end_col_offset or 0) - len(node.attr.encode()))

    def _offset(self, number: int | None, column: int) -> int:
        line = min(max(number or 1, 1), len(self._lines)) - 1
        text = self._lines[line]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="ignore"))
        return self._starts[line] + min(max(column, 0), len(text))


def _syntax_error(error: SyntaxError, source: str, offset: int) -> ExpressionError:
    lines = source.split("\n")
    line = min(max((error.lineno or 1) - 1, 0), len(lines) - 1)
    column = min(max((error.offset or 1) - 1, 0), len(lines[line]))
    where = offset + sum(len(text) + 1 for text in lines[:line]) + column
    message = error.msg.removesuffix(".")
    message = message.removesuffix(" Perhaps you forgot a comma?").removesuffix(".")
    hint = ""
    if "'=='" in message:
        message, hint = "`=` does not compare", "write `==`"
    elif "forgot a comma" in error.msg:
        hint = "write a comma or an operator between the values"
    return ExpressionError(f"this is not an expression: {message}", where, hint)


class _JsonWords(ast.NodeTransformer):
    """JSON's constants, spelled Python's way."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in _JSON_WORDS:
            return ast.copy_location(ast.Constant(_JSON_WORDS[node.id]), node)
        return node


def _walk(tree: ast.expr) -> Iterator[tuple[ast.AST, int]]:
    """Every node with its depth. Operators and contexts count as their parent's."""
    stack: list[tuple[ast.AST, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _check(tree: ast.expr, at: Places) -> None:
    loops = 0
    for nodes, (node, depth) in enumerate(_walk(tree)):
        if nodes >= MAX_NODES or depth > MAX_DEPTH:
            raise ExpressionError(
                "the expression is too large", at(tree), "split it over data.value nodes"
            )
        loops += isinstance(node, ast.comprehension)
        if loops > MAX_LOOPS:
            raise ExpressionError(
                f"there are more than {MAX_LOOPS} `for` in one expression",
                at(tree),
                "use data.transform or code.python",
            )
        rule = _RULES.get(type(node))
        if rule is None:
            _refuse(node, at)
        else:
            rule(node, at)


def _refuse(node: ast.AST, at: Places) -> None:
    what, hint = _REFUSED.get(type(node), (f"`{type(node).__name__}` is", "use code.python"))
    raise ExpressionError(f"{what} not allowed in expressions", at(node), hint)


_REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lambda: ("`lambda` is", "write a comprehension: [x.name for x in items]"),
    ast.NamedExpr: ("`:=` is", "use a data.value node for intermediate values"),
    ast.Await: ("`await` is", "expressions only compute; use a node for the call"),
    ast.Yield: ("`yield` is", "use a comprehension"),
    ast.YieldFrom: ("`yield` is", "use a comprehension"),
    ast.Starred: ("`*` before a value is", "write a + b for arrays"),
    ast.MatMult: ("`@` is", "write `*`"),
    ast.BitOr: ("`|` is", "write `or`, or merge(a, b) for objects"),
    ast.BitAnd: ("`&` is", "write `and`"),
    ast.BitXor: ("`^` is", "write `**` for powers"),
    ast.LShift: ("`<<` is", "multiply instead"),
    ast.RShift: ("`>>` is", "divide instead"),
    ast.Invert: ("`~` is", "write `not`"),
}


def is_dunder(name: str) -> bool:
    """Whether Python keeps a name for itself."""
    return name.startswith("__") and name.endswith("__") and len(name) > 3


def _allow(_node: ast.AST, _at: Places) -> None:
    """Nothing to check beyond the type."""


def _name(node: ast.Name, at: Places) -> None:
    if node.id in _FOREIGN_WORDS:
        raise ExpressionError(f"there is no `{node.id}`", at(node), _FOREIGN_WORDS[node.id])
    if node.id.startswith("_") and node.id != "_":
        raise ExpressionError(f"`{node.id}` starts with an underscore", at(node), "rename it")


def _attribute(node: ast.Attribute, at: Places) -> None:
    if node.attr.startswith("__"):
        raise ExpressionError(
            f"`{node.attr}` cannot be read with a dot",
            at.member(node),
            f'if it is a JSON key, write value["{node.attr}"]',
        )


def _constant(node: ast.Constant, at: Places) -> None:
    value: Any = node.value
    if isinstance(value, bytes | complex) or value is Ellipsis:
        raise ExpressionError("only text, numbers, true, false and null are values", at(node))
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise ExpressionError("the number has too many digits", at(node), "write it as text")
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError("the number is too large", at(node))
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        raise ExpressionError("the text holds half a character (a lone surrogate)", at(node))


def _call(node: ast.Call, at: Places) -> None:
    if not isinstance(node.func, ast.Name | ast.Attribute):
        raise ExpressionError("only functions and methods can be called", at(node.func))
    if isinstance(node.func, ast.Attribute) and node.func.attr.startswith("_"):
        raise ExpressionError(f"there is no method `{node.func.attr}`", at.member(node.func))
    if any(keyword.arg is None for keyword in node.keywords):
        raise ExpressionError("`**` before an argument is not allowed", at(node))


def _dict(node: ast.Dict, at: Places) -> None:
    if any(key is None for key in node.keys):
        raise ExpressionError("`**` in an object is not allowed", at(node), "write merge(a, b)")


def _comprehension(node: ast.comprehension, at: Places) -> None:
    if node.is_async:
        raise ExpressionError("`async for` is not allowed", at(node.target))
    for target in ast.walk(node.target):
        if isinstance(target, ast.Name):
            if target.id in _JSON_WORDS:
                raise ExpressionError(f"`{target.id}` cannot name a variable", at(target))
        elif not isinstance(target, ast.Tuple | ast.Store):
            raise ExpressionError("only names can follow `for`", at(node.target))


def _formatted(node: ast.FormattedValue, at: Places) -> None:
    if node.conversion not in _CONVERSIONS:
        raise ExpressionError("`!r` and `!a` are not allowed", at(node), "remove it")
    if node.format_spec is None:
        return
    parts: list[ast.expr] = getattr(node.format_spec, "values", [])
    if not all(isinstance(part, ast.Constant) for part in parts):
        raise ExpressionError("a format cannot hold an expression", at(node), "use formatNumber")
    spec = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
    if not _FORMAT_SPEC.fullmatch(spec):
        raise ExpressionError(
            f"`{spec}` is not a format for numbers or text", at(node), "write .2f, or >10"
        )


def _compare(node: ast.Compare, at: Places) -> None:
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.Is | ast.IsNot) and not _is_singleton(right):
            raise ExpressionError("`is` only compares with null, true, false", at(right), "use ==")


def _is_singleton(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _JSON_WORDS
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _subscript(node: ast.Subscript, at: Places) -> None:
    if isinstance(node.slice, ast.Tuple):
        raise ExpressionError("one index at a time", at(node.slice), "write value[a][b]")


_RULES: dict[type[ast.AST], Callable[[Any, Places], None]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.Dict: _dict,
    ast.Compare: _compare,
    ast.comprehension: _comprehension,
    ast.FormattedValue: _formatted,
    **dict.fromkeys(
        (
            *(ast.JoinedStr, ast.Slice, ast.keyword, ast.Load, ast.Store),
            *(ast.List, ast.Tuple, ast.Set, ast.IfExp, *_COMPREHENSIONS),
            *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd),
            *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
            *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
            *(ast.Is, ast.IsNot, ast.In, ast.NotIn),
        ),
        _allow,
    ),
}
