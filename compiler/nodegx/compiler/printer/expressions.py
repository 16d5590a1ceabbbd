"""The layout of expressions.

Where an expression stands decides whether it may break: nowhere in brackets it may not, in brackets
it may, and inside parentheses that appear only if needed it may once they are there. `place` says
which: `OPEN`, `BRACKETS`, or the id of the group of those optional parentheses.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar

from .doc import (
    SOFT,
    SPACE,
    Doc,
    Group,
    GroupIfBroken,
    IfBroken,
    Indent,
    MayExpand,
    Wrap,
    block,
    join,
    new_id,
    render_flat,
)
from .literals import constant, f_string, string
from .parentheses import Optional, is_fluent, prefers_own_brackets, rank, wants
from .precedence import SYMBOLS, Level, is_parenthesized, is_parenthesized_base, operands

OPEN = 0
BRACKETS = -1

_Flat = list[tuple[ast.expr, Level] | tuple[str, int]]


class Expressions:
    """Makes documents of expressions. `quote` fixes the quotes of strings, inside f-strings."""

    def __init__(self, quote: str | None = None) -> None:
        self._quote = quote

    def statement(self, node: ast.expr) -> Doc:
        """The last expression of a statement: it breaks inside its brackets, or gets parentheses
        if it has none or they do not help."""
        match wants(node):
            case Optional.NEVER:
                return self.of(node, OPEN)
            case Optional.BEST_FIT:
                id = new_id()
                return Wrap(self.of(node, id), id)
            case _ if prefers_own_brackets(node):
                return self._optional_parentheses(node)
            case _:
                return self._if_expanded(self.of(node, BRACKETS))

    def loose(self, node: ast.expr) -> Doc:
        """An expression that gets parentheses only for its operators."""
        return self.statement(node) if wants(node) is Optional.MULTILINE else self.of(node, OPEN)

    def of(self, node: ast.expr, place: int, needed: Level = Level.ANY) -> Doc:
        """An expression; in parentheses if it binds less tightly than `needed`."""
        if is_parenthesized(node, needed):
            return self._bracketed("(", self.of(node, BRACKETS), ")", place)
        layout = self._LAYOUTS.get(type(node))
        if layout is None:
            raise TypeError(f"handlers have no {type(node).__name__}")
        return layout(self, node, place)

    def items(self, nodes: list[Doc]) -> Doc:
        """Elements in brackets, with a comma behind the last one if they break."""
        return (*join(nodes), IfBroken(","))

    def bracketed_items(self, opening: str, items: list[Doc], closing: str, place: int) -> Doc:
        """Elements in brackets, one on each line if they do not fit on one."""
        if not items:
            return opening + closing
        return self._bracketed(opening, self.items(items), closing, place)

    def _bracketed(self, opening: str, content: Doc, closing: str, place: int) -> Doc:
        group = Group(block(opening, content, closing))
        return MayExpand(group, place) if place > 0 else group

    def _optional_parentheses(self, node: ast.expr) -> Doc:
        id = new_id()
        content = Indent((SOFT, self.of(node, id)), id)
        return Group((IfBroken("("), content, SOFT, IfBroken(")")), id)

    def _if_expanded(self, content: Doc) -> Doc:
        return Group((IfBroken("("), Indent((SOFT, content)), SOFT, IfBroken(")")))

    def _group(self, content: Doc, place: int) -> Doc:
        if place == OPEN:
            return content
        return Group(content) if place == BRACKETS else GroupIfBroken(content, place)

    def _space(self, place: int) -> Doc:
        if place == OPEN:
            return " "
        return SPACE if place == BRACKETS else IfBroken(SPACE, " ", place)

    def _soft(self, place: int) -> Doc:
        if place == OPEN:
            return ""
        return SOFT if place == BRACKETS else IfBroken(SOFT, "", place)

    def _constant(self, node: ast.Constant, _: int) -> Doc:
        value: Any = node.value
        return string(value, self._quote) if isinstance(value, str) else constant(value)

    def _name(self, node: ast.Name, _: int) -> Doc:
        return node.id

    def _f_string(self, node: ast.JoinedStr, _: int) -> Doc:
        return f_string(node, lambda code, quote: Expressions(quote).flat(code))

    def _list(self, node: ast.List, place: int) -> Doc:
        return self.bracketed_items("[", [self.of(e, BRACKETS) for e in node.elts], "]", place)

    def _set(self, node: ast.Set, place: int) -> Doc:
        return self.bracketed_items("{", [self.of(e, BRACKETS) for e in node.elts], "}", place)

    def _tuple(self, node: ast.Tuple, place: int) -> Doc:
        items = [self.of(item, BRACKETS) for item in node.elts]
        if len(items) == 1:
            return self._bracketed("(", (items[0], ","), ")", place)
        return self.bracketed_items("(", items, ")", place)

    def _dict(self, node: ast.Dict, place: int) -> Doc:
        items: list[Doc] = []
        for key, value in zip(node.keys, node.values, strict=True):
            item = self.of(value, BRACKETS)
            items.append(("**", item) if key is None else (self.of(key, BRACKETS), ": ", item))
        return self.bracketed_items("{", items, "}", place)

    def _comprehension(self, node: Any, place: int) -> Doc:
        opening, closing = _BRACKETS_OF[type(node)]
        return self._bracketed(opening, self._clauses(node), closing, place)

    def _clauses(self, node: Any) -> Doc:
        """The inside of a comprehension."""
        if isinstance(node, ast.DictComp):
            element: Doc = (self.of(node.key, BRACKETS), ": ", self.of(node.value, BRACKETS))
        else:
            element = self.of(node.elt, BRACKETS)
        parts: list[Doc] = [Group(element)]
        for clause in node.generators:
            target = self.target(clause.target)
            source = self.of(clause.iter, BRACKETS, Level.OR)
            keyword = "async for " if clause.is_async else "for "
            parts += [SPACE, (keyword, target, " in ", source)]
            for test in clause.ifs:
                parts += [SPACE, Group(("if ", self.of(test, BRACKETS, Level.OR)))]
        return Group(tuple(parts))

    def target(self, node: ast.expr) -> Doc:
        """What a comprehension gives values to."""
        if isinstance(node, ast.Tuple) and len(node.elts) > 1:
            return tuple(join([self.of(item, BRACKETS) for item in node.elts], ", "))
        return self.of(node, OPEN)

    def assigned(self, node: ast.expr) -> Doc:
        """What an assignment gives a value to: anything but a tuple stays on one line."""
        if isinstance(node, ast.Tuple) and len(node.elts) > 1:
            return self._if_expanded(self.items([self.of(item, BRACKETS) for item in node.elts]))
        return self.flat(node)

    def loop_target(self, node: ast.expr) -> Doc:
        """What a `for` statement gives values to."""
        if isinstance(node, ast.Name):
            return Wrap(node.id, new_id())
        return self.assigned(node) if isinstance(node, ast.Tuple) else self.statement(node)

    def flat(self, node: ast.expr) -> str:
        """An expression on one line."""
        return render_flat(self.of(node, OPEN))

    def context(self, node: ast.expr, variable: ast.expr | None) -> Doc:
        """What a `with` enters."""
        if variable is None:
            return self.statement(node)
        id = new_id()
        item = (self.of(node, id), " as ", self.of(variable, OPEN))
        return Group((IfBroken("("), Indent((SOFT, item), id), SOFT, IfBroken(")")), id)

    def _call(self, node: ast.Call, place: int, fluent: bool | None = None) -> Doc:
        chained = self._chained(node, place, fluent)
        func = self._base(node.func, place, chained)
        return self._chain(node, (func, self._arguments(node, place)), chained, fluent)

    def _arguments(self, node: ast.Call, place: int) -> Doc:
        if not node.args and not node.keywords:
            return "()"
        if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
            return self._bracketed("(", self._clauses(node.args[0]), ")", place)
        items: list[Doc] = [self.of(argument, BRACKETS) for argument in node.args]
        for keyword in node.keywords:
            prefix = "**" if keyword.arg is None else f"{keyword.arg}="
            items.append((prefix, self.of(keyword.value, BRACKETS)))
        return self._bracketed("(", Group(self.items(items)), ")", place)

    def _attribute(self, node: ast.Attribute, place: int, fluent: bool | None = None) -> Doc:
        chained = self._chained(node, place, fluent)
        base = self._base(node.value, place, chained)
        follows = isinstance(node.value, ast.Call | ast.Subscript)
        breaks = chained and (follows or is_parenthesized_base(node.value))
        return self._chain(node, (base, SOFT if breaks else "", f".{node.attr}"), chained, fluent)

    def _subscript(self, node: ast.Subscript, place: int, fluent: bool | None = None) -> Doc:
        chained = self._chained(node, place, fluent)
        base = self._base(node.value, place, chained)
        if isinstance(node.slice, ast.Tuple) and node.slice.elts:
            items = [self.of(item, BRACKETS) for item in node.slice.elts]
            comma = "," if len(items) == 1 else IfBroken(",")
            index: Doc = Group((*join(items), comma))
        elif isinstance(node.slice, ast.Slice):
            index = self._slice(node.slice)
        else:
            index = self.of(node.slice, BRACKETS)
        return self._chain(node, (base, self._bracketed("[", index, "]", place)), chained, fluent)

    def _chained(self, node: ast.expr, place: int, fluent: bool | None) -> bool:
        """Whether a chain breaks before its dots: decided at its end, passed on to its start."""
        if fluent is not None:
            return fluent
        return place != OPEN and is_fluent(node)

    def _chain(self, node: ast.expr, content: Doc, chained: bool, fluent: bool | None) -> Doc:
        return Group(content) if chained and fluent is None else content

    def _base(self, node: ast.expr, place: int, fluent: bool) -> Doc:
        if is_parenthesized_base(node):
            return self._bracketed("(", self.of(node, BRACKETS), ")", place)
        if isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
            layout: Any = self._LAYOUTS[type(node)]
            return layout(self, node, place, fluent)
        return self.of(node, place)

    def _slice(self, node: ast.Slice) -> Doc:
        parts = [node.lower, node.upper, *([node.step] if node.step else [])]
        simple = all(part is None or _is_simple(part) for part in parts)
        text: list[Doc] = []
        for index, part in enumerate(parts):
            if index:
                text.append(" :" if not simple and parts[index - 1] is not None else ":")
            if part is not None:
                text += [" " if index and not simple else "", self.of(part, BRACKETS)]
        return tuple(text)

    def _await(self, node: ast.Await, place: int) -> Doc:
        return ("await ", self.of(node.value, place, Level.ATOM))

    def _unary(self, node: ast.UnaryOp, place: int) -> Doc:
        operand, needed = next(iter(operands(node)))
        return (SYMBOLS[type(node.op)], self.of(operand, place, needed))

    def _lambda(self, node: ast.Lambda, place: int) -> Doc:
        names = ", ".join(argument.arg for argument in node.args.args)
        head = f"lambda {names}: " if names else "lambda: "
        if wants(node.body) is Optional.MULTILINE:
            return (head, self._if_expanded(self.of(node.body, BRACKETS)))
        return (head, self.of(node.body, place))

    def _choice(self, node: ast.IfExp, place: int) -> Doc:
        return self._group(self._branches(node, place), place)

    def _branches(self, node: ast.IfExp, place: int) -> Doc:
        body = self.of(node.body, place, Level.OR)
        test = self.of(node.test, place, Level.OR)
        if isinstance(node.orelse, ast.IfExp):
            orelse = self._branches(node.orelse, place)
        else:
            orelse = self._group(self.of(node.orelse, place, Level.TEST), place)
        space = self._space(place)
        return (body, space, "if ", test, space, "else ", orelse)

    def _operators(self, node: ast.expr, place: int) -> Doc:
        flat: _Flat = []
        _flatten(node, Level.ANY, flat)
        return self._group(self._split(flat, place), place)

    def _split(self, flat: _Flat, place: int) -> Doc:
        """Operands and operators; the loosest operators begin a line each if they break."""
        if len(flat) == 1:
            return self._operand(flat[0], place)
        loosest = max(item[1] for item in flat[1::2])
        parts: list[Doc] = []
        start = 0
        for index in range(1, len(flat), 2):
            operator, found = flat[index]
            if found != loosest:
                continue
            is_power = operator == "**" and _is_simple_power(flat[index - 1], flat[index + 1])
            parts.append(self._side(flat[start:index], place))
            parts.append(self._soft(place) if is_power else self._space(place))
            parts.append(str(operator) + ("" if is_power else " "))
            start = index + 1
        parts.append(self._side(flat[start:], place))
        return tuple(parts)

    def _side(self, flat: _Flat, place: int) -> Doc:
        content = self._split(flat, place)
        return content if len(flat) == 1 else self._group(content, place)

    def _operand(self, item: tuple[Any, Any], place: int) -> Doc:
        node, needed = item
        return self.of(node, place, needed)

    _LAYOUTS: ClassVar[dict[type[ast.expr], Callable[[Expressions, Any, int], Doc]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.JoinedStr: _f_string,
        ast.List: _list,
        ast.Set: _set,
        ast.Tuple: _tuple,
        ast.Dict: _dict,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.Call: _call,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Await: _await,
        ast.UnaryOp: _unary,
        ast.Lambda: _lambda,
        ast.IfExp: _choice,
        ast.BoolOp: _operators,
        ast.BinOp: _operators,
        ast.Compare: _operators,
    }


def _flatten(node: ast.expr, needed: Level, flat: _Flat) -> None:
    """The operands and operators of an expression, as they stand in the text; what gets
    parentheses is one operand."""
    if is_parenthesized(node, needed) or not isinstance(node, ast.BoolOp | ast.BinOp | ast.Compare):
        flat.append((node, needed))
        return
    found, _ = rank(node)
    ops = node.ops if isinstance(node, ast.Compare) else [node.op]
    for index, (operand, level) in enumerate(operands(node)):
        if index:
            flat.append((SYMBOLS[type(ops[min(index, len(ops)) - 1])], found))
        _flatten(operand, level, flat)


def _is_simple_power(left: tuple[Any, Any], right: tuple[Any, Any]) -> bool:
    return all(
        _is_power_operand(node) and not is_parenthesized(node, needed)
        for node, needed in (left, right)
    )


def _is_power_operand(node: ast.expr) -> bool:
    match node:
        case ast.UnaryOp(op, operand):
            return not isinstance(op, ast.Not) and _is_power_operand(operand)
        case ast.Constant(value):
            return not isinstance(value, str)
        case ast.Attribute(value):
            return _is_power_operand(value) and not is_parenthesized_base(value)
        case _:
            return isinstance(node, ast.Name)


def _is_simple(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return _is_simple(node.operand)
    return isinstance(node, ast.Constant | ast.Name)


_BRACKETS_OF = {
    ast.ListComp: ("[", "]"),
    ast.SetComp: ("{", "}"),
    ast.DictComp: ("{", "}"),
    ast.GeneratorExp: ("(", ")"),
}
