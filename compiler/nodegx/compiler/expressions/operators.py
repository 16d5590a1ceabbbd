"""Operators and f-strings.

Python's `*`, `%` and `**` do more than arithmetic (repeat text, format text, build numbers of any
size), so they stay as they are only where the operands rule that out. Between values of unknown
type, `*` and `%` are arithmetic.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nodegx.runtime.catalog.types import Type

from .metering import counted, grown, scanned
from .typed import NUMERIC, SEQUENCE, WORDS, Typed, call, carried, union

if TYPE_CHECKING:
    from .compile import Compiler

_REPEATS = 1_000
"""A literal factor up to this leaves `value * factor` alone: the value may be text."""
_TEXT_UNSAFE = frozenset("'\"\\{}#\n\r\t")
_PRINTED_AS_TEXT = frozenset({Type.STRING, Type.NUMBER, Type.INTEGER})


def _arithmetic(compiler: Compiler, node: ast.BinOp) -> Typed:
    left, right = compiler.visit(node.left), compiler.visit(node.right)
    return _OPERATORS[type(node.op)](compiler, node, left, right)


def _refuse(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> None:
    """Refuses operands of which one is certainly no number."""
    for side, operand in ((left, node.left), (right, node.right)):
        if side.known and not side.numeric:
            hint = "write number(value)" if side.type is Type.STRING else ""
            raise compiler.error(f"{WORDS[side.type]} cannot be calculated with", operand, hint)


def _result(left: Typed, right: Typed, code: ast.expr) -> Typed:
    whole = left.type in _WHOLE and right.type in _WHOLE
    small = left.small and right.small
    return Typed(code, Type.INTEGER if whole else Type.NUMBER, small)


_WHOLE = {Type.INTEGER, Type.BOOLEAN}


def _add(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> Typed:
    code = ast.BinOp(left.code, ast.Add(), right.code)
    if left.numeric and right.numeric:
        return _result(left, right, code)
    for side, other, operand in ((left, right, node.left), (right, left, node.right)):
        if side.type in {Type.OBJECT, Type.BOOLEAN} and other.known:
            hint = "write merge(a, b)" if side.type is Type.OBJECT else ""
            raise compiler.error(f"{WORDS[side.type]} cannot be added", operand, hint)
    if left.known and right.known and left.type != right.type:
        words = f"{WORDS[left.type]} and {WORDS[right.type]}"
        has_text = Type.STRING in {left.type, right.type}
        hint = "write text(value), or the whole as f-string" if has_text else ""
        raise compiler.error(f"{words} cannot be added", node.right, hint)
    known = left if left.known else right
    type = Type.NUMBER if known.numeric else known.type
    return counted(compiler, Typed(code, type, carries=carried((left, right))))


def _subtract(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> Typed:
    _refuse(compiler, node, left, right)
    return _result(left, right, ast.BinOp(left.code, node.op, right.code))


def _divide(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> Typed:
    _refuse(compiler, node, left, right)
    code = ast.BinOp(left.code, ast.Div(), right.code)
    return Typed(code, Type.NUMBER, small=True)


def _multiply(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> Typed:
    native = ast.BinOp(left.code, ast.Mult(), right.code)
    for side, other in ((left, right), (right, left)):
        if other.numeric and side.numeric and (side.small or other.small):
            return _result(left, right, native)
        if _is_float(side.code):
            return Typed(native, Type.NUMBER, other.small)
        if _is_small_factor(side.code) and other.data and not other.known:
            return counted(compiler, Typed(native, carries=other.carries))
    for side, other, operand in ((left, right, node.left), (right, left, node.right)):
        if side.type in SEQUENCE and (other.numeric or not other.known):
            code = call("fx.repeat", side.code, other.code)
            built = Typed(code, side.type, carries=side.carries)
            return counted(compiler, grown(compiler, built))
        if side.known and not side.numeric:
            raise compiler.error(f"{WORDS[side.type]} cannot be multiplied", operand)
    return _result(left, right, call("fx.multiply", left.code, right.code))


def _is_float(code: ast.expr) -> bool:
    return isinstance(code, ast.Constant) and isinstance(code.value, float)


def _is_small_factor(code: ast.expr) -> bool:
    if isinstance(code, ast.UnaryOp):
        code = code.operand
    return isinstance(code, ast.Constant) and type(code.value) is int and code.value <= _REPEATS


def _modulo(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> Typed:
    _refuse(compiler, node, left, right)
    if left.numeric:
        return _result(left, right, ast.BinOp(left.code, ast.Mod(), right.code))
    return Typed(call("fx.modulo", left.code, right.code), Type.NUMBER)


def _power(compiler: Compiler, node: ast.BinOp, left: Typed, right: Typed) -> Typed:
    _refuse(compiler, node, left, right)
    return Typed(call("fx.power", left.code, right.code), Type.NUMBER)


_OPERATORS: dict[type[ast.operator], Callable[[Compiler, ast.BinOp, Typed, Typed], Typed]] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mult: _multiply,
    ast.Div: _divide,
    ast.FloorDiv: _subtract,
    ast.Mod: _modulo,
    ast.Pow: _power,
}


def _unary(compiler: Compiler, node: ast.UnaryOp) -> Typed:
    operand = compiler.visit(node.operand)
    code = ast.UnaryOp(node.op, operand.code)
    if isinstance(node.op, ast.Not):
        return Typed(code, Type.BOOLEAN, small=True)
    if operand.known and not operand.numeric:
        raise compiler.error(f"{WORDS[operand.type]} cannot be calculated with", node.operand)
    whole = Type.INTEGER if operand.type in _WHOLE else Type.NUMBER
    return Typed(code, whole, operand.small)


def _logic(compiler: Compiler, node: ast.BoolOp) -> Typed:
    values = [compiler.visit(value) for value in node.values]
    type, carries = union(values)
    small = all(value.small for value in values)
    data = all(value.data for value in values)
    code = ast.BoolOp(node.op, [value.code for value in values])
    return Typed(code, type, small, carries, data)


def _compare(compiler: Compiler, node: ast.Compare) -> Typed:
    operands = [compiler.visit(node.left)]
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        operands.append(_right(compiler, op, comparator))
        _check_comparison(compiler, op, operands[-2], operands[-1], comparator)
    ops = list(node.ops)
    if len(ops) == 1 and is_singleton(operands[1].code):
        table = _EQUALITY if isinstance(operands[0].code, ast.Constant) else _IDENTITY
        ops = [table.get(type(ops[0]), type(ops[0]))()]
    first, *rest = operands
    code = ast.Compare(first.code, ops, [operand.code for operand in rest])
    return Typed(code, Type.BOOLEAN, small=True)


def _right(compiler: Compiler, op: ast.cmpop, node: ast.expr) -> Typed:
    """The right side of a comparison; `in` looks through all of it."""
    if not isinstance(op, ast.In | ast.NotIn):
        return compiler.visit(node)
    container = compiler.container(node)
    is_display = isinstance(container.code, ast.List | ast.Tuple | ast.Set | ast.Dict)
    return container if is_display else scanned(compiler, container)


_IDENTITY: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Eq: ast.Is, ast.NotEq: ast.IsNot}
_EQUALITY: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Is: ast.Eq, ast.IsNot: ast.NotEq}
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def is_singleton(code: ast.expr) -> bool:
    """Whether the code is None, True or False, which Python compares by identity."""
    return isinstance(code, ast.Constant) and (code.value is None or isinstance(code.value, bool))


def _check_comparison(
    compiler: Compiler, op: ast.cmpop, left: Typed, right: Typed, where: ast.expr
) -> None:
    if isinstance(op, ast.In | ast.NotIn):
        if right.numeric:
            raise compiler.error(f"{WORDS[right.type]} contains nothing", where)
        if right.type is Type.STRING and left.known and left.type is not Type.STRING:
            raise compiler.error("text only contains text", where, "write text(value)")
        return
    if not (left.known and right.known) or isinstance(op, ast.Is | ast.IsNot):
        return
    both = {left.type, right.type}
    if isinstance(op, _ORDER) and both & {Type.OBJECT}:
        raise compiler.error("objects have no order", where)
    if len(both) > 1 and not both <= NUMERIC:
        verb = "cannot be ordered" if isinstance(op, _ORDER) else "are never equal"
        hint = ""
        if Type.STRING in both and both & NUMERIC:
            hint = "write number(value) or text(value) on one side"
        message = f"{WORDS[left.type]} and {WORDS[right.type]} {verb}"
        raise compiler.error(message, where, hint)


def _f_string(compiler: Compiler, node: ast.JoinedStr) -> Typed:
    parts: list[str | tuple[Typed, str]] = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
        elif isinstance(value, ast.FormattedValue):
            parts.append((compiler.visit(value.value), _spec(value)))
    values = [part[0] for part in parts if not isinstance(part, str)]
    return counted(compiler, Typed(text_of(parts), Type.STRING, carries=carried(values)))


def _spec(node: ast.FormattedValue) -> str:
    if not isinstance(node.format_spec, ast.JoinedStr):
        return ""
    literals = (part for part in node.format_spec.values if isinstance(part, ast.Constant))
    return "".join(str(literal.value) for literal in literals)


def text_of(parts: Iterable[str | tuple[Typed, str]]) -> ast.expr:
    """An f-string of texts and (value, format), or a call where an f-string cannot be written in
    every supported version of Python."""
    all_parts = list(parts)
    values = [part for part in all_parts if not isinstance(part, str)]
    if not values:
        return ast.Constant("".join(str(part) for part in all_parts))
    if all(_fits_f_string(value.code) for value, _ in values):
        return ast.JoinedStr([_f_string_part(part) for part in all_parts])
    return call("fx.concat", *(_concat_part(part) for part in all_parts))


def _f_string_part(part: str | tuple[Typed, str]) -> ast.expr:
    if isinstance(part, str):
        return ast.Constant(part)
    value, spec = part
    plain = spec or value.type in _PRINTED_AS_TEXT
    code = value.code if plain else call("fx.text", value.code)
    format_spec = ast.JoinedStr([ast.Constant(spec)]) if spec else None
    return ast.FormattedValue(code, -1, format_spec)


def _concat_part(part: str | tuple[Typed, str]) -> ast.expr:
    if isinstance(part, str):
        return ast.Constant(part)
    value, spec = part
    return call("fx.formatted", value.code, ast.Constant(spec)) if spec else value.code


def _fits_f_string(code: ast.expr) -> bool:
    """Whether Python 3.11 can read `code` between the braces: no second kind of quotes, no
    backslash; and it does not begin with a brace."""
    for node in ast.walk(code):
        if isinstance(node, ast.JoinedStr | ast.Dict | ast.Set | ast.DictComp | ast.SetComp):
            return False
        text = getattr(node, "value", "")
        if isinstance(text, str) and (_TEXT_UNSAFE.intersection(text) or not text.isprintable()):
            return False
    return True


HANDLERS: dict[type[ast.expr], Callable[[Compiler, Any], Typed]] = {
    ast.BinOp: _arithmetic,
    ast.UnaryOp: _unary,
    ast.BoolOp: _logic,
    ast.Compare: _compare,
    ast.JoinedStr: _f_string,
}
