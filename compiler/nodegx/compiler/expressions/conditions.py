"""Conditions made of groups and comparisons, as the editor's form builds them.

`{"all": […]}`, `{"any": […]}`, `{"not": …}` and `{"left": …, "op": …, "right": …}` nest; wherever a
condition may stand, so may an expression in braces or true or false.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from nodegx.compiler.diagnostics import Pointer
from nodegx.compiler.graph import DictValue, ListValue, Literal, PortRef, Value
from nodegx.runtime.catalog.types import Type

from .compile import infer
from .errors import ExpressionError
from .grammar import Places
from .names import Path, Resolver, path_of, suggest
from .operators import is_singleton
from .syntax import Template
from .template import parse_template
from .typed import call
from .values import compile_value

MAX_NESTING = 20
"""Groups inside groups."""
TYPE_NAMES = ("null", "boolean", "number", "string", "array", "object")
"""What `isType` compares with."""

_Code = Callable[[ast.expr, ast.expr], ast.expr]


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison.

    Args:
        doc: one line.
        code: makes the Python from both sides (the right one is None's for unary operators).
        binary: whether it has a right side.
        missing: whether a left side whose keys do not exist counts as null instead of failing.
        text: the method that does the same where the left side is certainly text.
    """

    doc: str
    code: _Code
    binary: bool = True
    missing: bool = False
    text: str = ""


def _compare(op: ast.cmpop, *, swapped: bool = False) -> _Code:
    def code(left: ast.expr, right: ast.expr) -> ast.expr:
        first, second = (right, left) if swapped else (left, right)
        return ast.Compare(first, [op], [second])

    return code


def _equality(op: ast.cmpop, identity: ast.cmpop) -> _Code:
    def code(left: ast.expr, right: ast.expr) -> ast.expr:
        same = is_singleton(right) and not isinstance(left, ast.Constant)
        return ast.Compare(left, [identity if same else op], [right])

    return code


def _is(value: bool | None, op: type[ast.cmpop] = ast.Is) -> _Code:
    return lambda left, _: ast.Compare(left, [op()], [ast.Constant(value)])


def _calls(target: str) -> _Code:
    return lambda left, right: call(target, left, right)


def _is_empty(left: ast.expr, _: ast.expr) -> ast.expr:
    return call("fx.is_empty", left)


def _has_elements(left: ast.expr, _: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), call("fx.is_empty", left))


def _is_type(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Compare(call("fx.type_of", left), [ast.Eq()], [right])


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "equals": Operator("Both are the same value.", _equality(ast.Eq(), ast.Is())),
        "notEquals": Operator("They are not the same.", _equality(ast.NotEq(), ast.IsNot())),
        "gt": Operator("Left is greater.", _compare(ast.Gt())),
        "gte": Operator("Left is greater or equal.", _compare(ast.GtE())),
        "lt": Operator("Left is less.", _compare(ast.Lt())),
        "lte": Operator("Left is less or equal.", _compare(ast.LtE())),
        "contains": Operator(
            "Left has the part, element or key.", _compare(ast.In(), swapped=True)
        ),
        "notContains": Operator(
            "Left lacks the part, element or key.", _compare(ast.NotIn(), swapped=True)
        ),
        "startsWith": Operator("The text starts so.", _calls("fx.starts_with"), text="startswith"),
        "endsWith": Operator("The text ends so.", _calls("fx.ends_with"), text="endswith"),
        "matches": Operator("A regular expression matches.", _calls("fx.matches")),
        "in": Operator("Left is one of the right's elements.", _compare(ast.In())),
        "notIn": Operator("Left is none of the right's elements.", _compare(ast.NotIn())),
        "isEmpty": Operator("Null, missing or without elements.", _is_empty, False, True),
        "isNotEmpty": Operator("It has elements.", _has_elements, False, True),
        "exists": Operator("It is there, and not null.", _is(None, ast.IsNot), False, True),
        "notExists": Operator("It is missing or null.", _is(None), False, True),
        "isTrue": Operator("It is true.", _is(True), False),
        "isFalse": Operator("It is false.", _is(False), False),
        "isNull": Operator("It is missing or null.", _is(None), False, True),
        "isType": Operator(f"One of {', '.join(TYPE_NAMES)}.", _is_type),
        "before": Operator("The date is earlier.", _calls("fx.before")),
        "after": Operator("The date is later.", _calls("fx.after")),
    }
)
"""Comparisons by name, in the order in which they are listed to people."""

DEFAULT_OPERATOR = "equals"
GROUPS: Mapping[str, type[ast.boolop]] = MappingProxyType({"all": ast.And, "any": ast.Or})
NEGATION = "not"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a condition; `path` leads there from the condition itself."""

    path: Pointer
    message: str
    hint: str = ""
    offset: int | None = None


def check_condition(value: Any) -> list[Problem]:
    """Everything wrong with the form of a condition in JSON. Names inside its templates are not
    looked at."""
    return list(_problems(value, (), 0))


def _problems(value: Any, path: Pointer, depth: int) -> Iterator[Problem]:
    if depth > MAX_NESTING:
        yield Problem(path, f"conditions are nested deeper than {MAX_NESTING}", "split them")
    elif isinstance(value, dict):
        yield from _object_problems(cast(dict[str, Any], value), path, depth)
    elif isinstance(value, str):
        yield from _text_problems(value, path)
    elif not isinstance(value, bool):
        yield Problem(
            path,
            "a condition is an expression, true, false, or an object",
            'write "{{ order.body.total > 100 }}" or {"left": …, "op": …, "right": …}',
        )


def _text_problems(text: str, path: Pointer) -> Iterator[Problem]:
    try:
        parsed = parse_template(text)
    except ExpressionError as error:
        yield Problem(path, error.message, error.hint, error.offset)
        return
    if isinstance(parsed, str):
        yield Problem(path, "a text is no condition", f"write {{{{ {text.strip()[:60]} }}}}", 0)
    elif parsed.single is None:
        hint = "put the whole comparison inside one pair of braces: {{ a > b }}"
        yield Problem(path, "text around an expression makes a text, not a condition", hint, 0)


def _object_problems(value: dict[str, Any], path: Pointer, depth: int) -> Iterator[Problem]:
    form = next((key for key in ("all", "any", "not") if key in value), None)
    if form is None:
        yield from _comparison_problems(value, path)
        return
    for key in value:
        if key != form:
            yield Problem((*path, key), f"`{key}` cannot stand beside `{form}`", "nest them")
    inner = value[form]
    if form == "not":
        yield from _problems(inner, (*path, form), depth + 1)
    elif not isinstance(inner, list) or not inner:
        yield Problem((*path, form), f"`{form}` needs a list of conditions")
    else:
        for index, item in enumerate(cast(list[Any], inner)):
            yield from _problems(item, (*path, form, index), depth + 1)


_FIELDS = ("left", "op", "right")


def _comparison_problems(value: dict[str, Any], path: Pointer) -> Iterator[Problem]:
    for key in value:
        if key not in _FIELDS:
            close = suggest(key, (*_FIELDS, "all", "any", "not"))
            hint = close or "a condition has all, any, not, or left, op and right"
            yield Problem((*path, key), f"unknown key `{key}`", hint)
    if "left" not in value:
        yield Problem(path, "the comparison has no `left`")
    name = value.get("op")
    operator = OPERATORS.get(name) if isinstance(name, str) else None
    if operator is None:
        what = f"unknown operator {name!r}" if "op" in value else "the comparison has no `op`"
        close = suggest(name, OPERATORS) if isinstance(name, str) else ""
        hint = close or f"one of {', '.join(OPERATORS)}"
        yield Problem((*path, "op") if "op" in value else path, what, hint)
        return
    if operator.binary and "right" not in value:
        yield Problem(path, f"`{name}` needs a `right`")
    elif not operator.binary and "right" in value:
        yield Problem((*path, "right"), f"`{name}` has no right side", "remove it")
    elif name == "isType" and value["right"] not in TYPE_NAMES:
        hint = f"one of {', '.join(TYPE_NAMES)}"
        yield Problem((*path, "right"), f"unknown type {value['right']!r}", hint)


def compile_condition(
    value: Value, names: Resolver, port: Callable[[PortRef], ast.expr] | None = None
) -> ast.expr:
    """The Python for a condition that `check_condition` has nothing against.

    Args:
        value: the parameter.
        names: the meaning of names in its templates.
        port: the code of a data wire; needed only if there are any.

    Raises:
        ExpressionError: see `compile_expression`.
    """
    fields = _fields(value)
    if fields is None:
        return compile_value(value, names, port)
    for key, op in GROUPS.items():
        if key in fields:
            parts = [compile_condition(item, names, port) for item in _items(fields[key])]
            return parts[0] if len(parts) == 1 else ast.BoolOp(op(), parts)
    if "not" in fields:
        return ast.UnaryOp(ast.Not(), compile_condition(fields["not"], names, port))
    return _comparison(fields, names, port)


def _comparison(
    fields: Mapping[str, Value], names: Resolver, port: Callable[[PortRef], ast.expr] | None
) -> ast.expr:
    name = fields["op"]
    assert isinstance(name, Literal), "checked"
    operator = OPERATORS[name.value]
    left_value = fields["left"]
    right = compile_value(fields["right"], names, port) if operator.binary else ast.Constant(None)
    if operator.missing and (lenient := _lenient(left_value, names)) is not None:
        return operator.code(lenient, right)
    left = compile_value(left_value, names, port)
    is_text = isinstance(left_value, Template) and infer(left_value, names) is Type.STRING
    if operator.text and is_text:
        return ast.Call(ast.Attribute(left, operator.text, ast.Load()), [right], [])
    return operator.code(left, right)


def _lenient(value: Value, names: Resolver) -> ast.expr | None:
    """Code that reads a path without failing where keys are missing, for a bare reference."""
    if not isinstance(value, Template) or value.single is None:
        return None
    expression = value.single
    reference = path_of(expression.tree, Places(expression.source, expression.offset))
    if reference is None:
        return None
    resolved = names.resolve(reference)
    rest = reference.path[resolved.consumed :]
    return call("fx.get", resolved.code, _path_code(rest)) if rest else resolved.code


def _path_code(path: Path) -> ast.expr:
    """`"a.b[0]"`, or a list of keys where one of them cannot be spelled that way."""
    if all(isinstance(key, int) or key.isidentifier() for key in path):
        text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        return ast.Constant(text.removeprefix("."))
    return ast.List([ast.Constant(key) for key in path], ast.Load())


def _fields(value: Value) -> Mapping[str, Value] | None:
    if isinstance(value, DictValue):
        return dict(value.items)
    if isinstance(value, Literal) and isinstance(value.value, dict):
        return {key: Literal(item) for key, item in cast(dict[str, Any], value.value).items()}
    return None


def _items(value: Value) -> list[Value]:
    if isinstance(value, ListValue):
        return list(value.items)
    assert isinstance(value, Literal), "checked"
    return [Literal(item) for item in value.value]
