"""Which expressions need parentheses inside others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import IntEnum


class Level(IntEnum):
    """How tightly an expression binds, loosest first."""

    ANY = 0
    TUPLE = 1
    TEST = 2
    OR = 3
    AND = 4
    NOT = 5
    COMPARE = 6
    BIT_OR = 7
    BIT_XOR = 8
    BIT_AND = 9
    SHIFT = 10
    ADD = 11
    MULTIPLY = 12
    FACTOR = 13
    POWER = 14
    AWAIT = 15
    ATOM = 16


SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.And: "and",
    ast.Or: "or",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Not: "not ",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
}
"""Operators as they are written."""

_BINARY: dict[type[ast.operator], Level] = {
    ast.Add: Level.ADD,
    ast.Sub: Level.ADD,
    ast.Mult: Level.MULTIPLY,
    ast.MatMult: Level.MULTIPLY,
    ast.Div: Level.MULTIPLY,
    ast.FloorDiv: Level.MULTIPLY,
    ast.Mod: Level.MULTIPLY,
    ast.Pow: Level.POWER,
    ast.LShift: Level.SHIFT,
    ast.RShift: Level.SHIFT,
    ast.BitOr: Level.BIT_OR,
    ast.BitXor: Level.BIT_XOR,
    ast.BitAnd: Level.BIT_AND,
}


def level(node: ast.expr) -> Level:
    """How tightly a node binds."""
    match node:
        case ast.BoolOp():
            return Level.OR if isinstance(node.op, ast.Or) else Level.AND
        case ast.BinOp():
            return _BINARY[type(node.op)]
        case ast.UnaryOp():
            return Level.NOT if isinstance(node.op, ast.Not) else Level.FACTOR
        case ast.Compare():
            return Level.COMPARE
        case ast.IfExp() | ast.Lambda():
            return Level.TEST
        case ast.Await():
            return Level.AWAIT
        case ast.Constant() if isinstance(node.value, int | float) and str(node.value)[0] == "-":
            return Level.FACTOR
        case _:
            return Level.ATOM


def tighter(binding: Level) -> Level:
    """The next level up."""
    return Level(binding + 1)


def operands(node: ast.expr) -> Iterator[tuple[ast.expr, Level]]:
    """The direct operands of an operator in the order of the text, each with the level below
    which it needs parentheses."""
    match node:
        case ast.BoolOp():
            for value in node.values:
                yield value, tighter(level(node))
        case ast.BinOp(left, ast.Pow(), right):
            yield left, Level.AWAIT
            yield right, Level.FACTOR
        case ast.BinOp(left, _, right):
            yield left, level(node)
            yield right, tighter(level(node))
        case ast.UnaryOp(op, operand):
            power = isinstance(operand, ast.BinOp) and isinstance(operand.op, ast.Pow)
            own = Level.NOT if isinstance(op, ast.Not) else Level.FACTOR
            yield operand, Level.AWAIT if power else own
        case ast.Compare(left, _, comparators):
            for value in (left, *comparators):
                yield value, Level.BIT_OR
        case ast.IfExp(test, body, orelse):
            yield body, Level.OR
            yield test, Level.OR
            yield orelse, Level.TEST
        case ast.Lambda(_, body):
            yield body, Level.TEST
        case ast.Await(value):
            yield value, Level.ATOM
        case _:
            return


def is_parenthesized(node: ast.expr, needed: Level) -> bool:
    """Whether `node` gets parentheses where `needed` is required."""
    return level(node) < needed


def is_parenthesized_base(node: ast.expr) -> bool:
    """Whether `node` gets parentheses before a dot, a call or a bracket. Plain numbers would run
    into the dot."""
    number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return number or level(node) < Level.ATOM
