"""When an expression that is too long gets parentheses around it, and when it is better to break
inside the brackets it has."""

from __future__ import annotations

import ast
from enum import Enum, IntEnum

from .doc import INDENT, WIDTH
from .precedence import is_parenthesized, is_parenthesized_base, operands


class Optional(Enum):
    """What a long expression wants."""

    MULTILINE = 1  # parentheses as soon as it breaks
    BEST_FIT = 2  # parentheses only if they make it fit: it cannot break itself
    NEVER = 3  # it has brackets of its own, or brings parentheses


_OWN_BRACKETS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)
_OWN_BRACKETS_TOO = (*_OWN_BRACKETS, ast.Tuple, ast.GeneratorExp)


def wants(node: ast.expr) -> Optional:
    """What `node` wants where a statement would have to break it."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            return _literal_wants(node)
        case ast.Name():
            return _by_length(len(node.id))
        case ast.Attribute(value) | ast.Call(value) | ast.Subscript(value):
            if is_fluent(node):
                return Optional.MULTILINE
            if is_parenthesized_base(value):
                return Optional.NEVER
            return Optional.BEST_FIT if isinstance(value, ast.Name) else wants(value)
        case ast.Await(value):
            needed = next(iter(operands(node)))[1]
            return Optional.NEVER if is_parenthesized(value, needed) else wants(value)
        case ast.UnaryOp(_, operand):
            needed = next(iter(operands(node)))[1]
            return Optional.NEVER if is_parenthesized(operand, needed) else wants(operand)
        case _:
            brackets = isinstance(node, (*_OWN_BRACKETS_TOO, ast.Lambda))
            return Optional.NEVER if brackets else Optional.MULTILINE


def _literal_wants(node: ast.Constant | ast.JoinedStr) -> Optional:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _by_length(len(repr(node.value)))
    return Optional.BEST_FIT


def _by_length(length: int) -> Optional:
    return Optional.BEST_FIT if 5 < length <= WIDTH - INDENT else Optional.NEVER


def is_fluent(node: ast.expr) -> bool:
    """Whether a chain of attributes, calls and subscripts breaks before its dots: at least two of
    them follow a call, a subscript or something in parentheses."""
    dots = 0
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        value = node.func if isinstance(node, ast.Call) else node.value
        if is_parenthesized_base(value):
            return dots + isinstance(node, ast.Attribute) >= 2
        if isinstance(node, ast.Attribute) and isinstance(value, ast.Call | ast.Subscript):
            dots += 1
        node = value
    return dots >= 2


class _Rank(IntEnum):
    """Operators by the order in which lines are broken at them, last ones first."""

    NONE = 0
    ATTRIBUTE = 1
    POWER = 2
    INVERT = 3
    MULTIPLY = 4
    ADD = 5
    SHIFT = 6
    BIT_AND = 7
    BIT_XOR = 8
    BIT_OR = 9
    COMPARE = 10
    BOOLEAN = 11
    CONDITIONAL = 12


_RANKS: dict[type[ast.operator], int] = {
    ast.Add: _Rank.ADD,
    ast.Sub: _Rank.ADD,
    ast.Mult: _Rank.MULTIPLY,
    ast.MatMult: _Rank.MULTIPLY,
    ast.Div: _Rank.MULTIPLY,
    ast.Mod: _Rank.MULTIPLY,
    ast.FloorDiv: _Rank.MULTIPLY,
    ast.Pow: _Rank.POWER,
    ast.LShift: _Rank.SHIFT,
    ast.RShift: _Rank.SHIFT,
    ast.BitAnd: _Rank.BIT_AND,
    ast.BitXor: _Rank.BIT_XOR,
    ast.BitOr: _Rank.BIT_OR,
}


def rank(node: ast.expr) -> tuple[int, int]:
    """The rank of a node's operators, and how many it has."""
    match node:
        case ast.BoolOp(_, values):
            return _Rank.BOOLEAN, len(values) - 1
        case ast.BinOp(_, op, _):
            return _RANKS[type(op)], 1
        case ast.IfExp():
            return _Rank.CONDITIONAL, 2
        case ast.Compare(_, ops):
            return _Rank.COMPARE, len(ops)
        case ast.UnaryOp(ast.Invert()):
            return _Rank.INVERT, 1
        case _:
            return _Rank.NONE, 0


def prefers_own_brackets(node: ast.expr) -> bool:
    """Whether a long expression breaks inside brackets it has, if that is enough, before it gets
    parentheses: only one operator binds loosest, and it starts or ends with brackets."""
    survey = _Survey()
    survey.inside(node)
    if not survey.brackets or survey.count > 1:
        return False
    if survey.rank in {_Rank.NONE, _Rank.ATTRIBUTE}:
        return True
    return survey.ends_with_brackets or survey.starts_with_brackets


class _Survey:
    """Looks through the parts of an expression that are not in brackets.

    `first` and `last` are the outermost expressions at both ends, with whether each is in
    parentheses.
    """

    def __init__(self) -> None:
        self.rank = 0
        self.count = 0
        self.brackets = False
        self.starts_with_brackets = False
        self.ends_with_brackets = False
        self._has_first = False

    def visit(self, node: ast.expr, parenthesized: bool) -> None:
        """An expression inside the one looked at."""
        self._ends(node, parenthesized)
        if parenthesized:
            self.brackets = True
        else:
            self.inside(node)
        self._starts(node, parenthesized)

    def _starts(self, node: ast.expr, parenthesized: bool) -> None:
        if not self._has_first:
            self._has_first = True
            self.starts_with_brackets = _breaks_well(node, parenthesized)

    def _ends(self, node: ast.expr, parenthesized: bool) -> None:
        self.ends_with_brackets = _breaks_well(node, parenthesized)

    def inside(self, node: ast.expr) -> None:
        """The parts of an expression, whether it is in parentheses or not."""
        if isinstance(node, _OWN_BRACKETS_TOO):
            self.brackets = True
            return
        found, count = rank(node)
        self._count(found, count)
        match node:
            case ast.Call(value) | ast.Subscript(value):
                self.brackets = True
                self.visit(value, is_parenthesized_base(value))
                self._ends(node, parenthesized=False)
            case ast.Attribute(value):
                parenthesized = is_parenthesized_base(value)
                self.visit(value, parenthesized)
                if parenthesized or has_brackets(value):
                    self._count(_Rank.ATTRIBUTE, 1)
                self._ends(node, parenthesized=False)
            case _:
                if isinstance(node, ast.UnaryOp | ast.Await | ast.Lambda):
                    self._has_first = True
                for operand, needed in operands(node):
                    self.visit(operand, is_parenthesized(operand, needed))

    def _count(self, found: int, count: int) -> None:
        if found > self.rank:
            self.rank, self.count = found, count
        elif found == self.rank:
            self.count += count


def _breaks_well(node: ast.expr, parenthesized: bool) -> bool:
    """Subscripts look odd broken; empty brackets cannot break."""
    if isinstance(node, ast.Subscript):
        return False
    return parenthesized or (has_brackets(node) and not _is_empty(node))


def has_brackets(node: ast.expr) -> bool:
    """Whether an expression ends with brackets of its own, empty ones included."""
    return isinstance(node, (*_OWN_BRACKETS_TOO, ast.Call, ast.Subscript))


def _is_empty(node: ast.expr) -> bool:
    match node:
        case ast.List(elts) | ast.Tuple(elts) | ast.Set(elts):
            return not elts
        case ast.Dict(keys):
            return not keys
        case ast.Call(_, args, keywords):
            return not args and not keywords
        case _:
            return False
