"""The layout of modules and statements, and which lines belong to which node."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from .doc import INDENT, SOFT, SPACE, Doc, Group, IfBroken, Indent, block, join, render
from .expressions import BRACKETS, OPEN, Expressions
from .literals import docstring
from .precedence import SYMBOLS

NODE = "nodegx_node"
"""Attribute of a statement: the id of the node whose lines these are."""
BLANK = "nodegx_blank"
"""Attribute of a statement: True asks for an empty line before it."""


class Printed(NamedTuple):
    """A module's text, and (first line, last line, node id) of every statement that carries a
    node id; of spans that contain a line, the innermost is the line's own."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


class Verbatim(ast.stmt):
    """Lines of user code, indented as a whole and otherwise left as they are. The lines inside
    multi-line strings keep even their indentation."""

    _fields = ("lines",)

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self.lines = list(lines)


@dataclass(slots=True)
class _Writer:
    lines: list[str]
    spans: list[tuple[int, int, str]]


def print_module(tree: ast.Module) -> Printed:
    """Prints a module.

    Statements may carry `nodegx_node` (a node id, for the spans) and `nodegx_blank` (an empty line
    before). Statements and expressions that no handler needs raise `TypeError`.
    """
    writer = _Writer([], [])
    _Printer(writer).suite(tree.body, 0, top=True)
    return Printed("\n".join(writer.lines) + "\n", tuple(writer.spans))


class _Printer:
    def __init__(self, writer: _Writer) -> None:
        self._writer = writer
        self._expressions = Expressions()

    def suite(self, body: list[ast.stmt], indent: int, *, top: bool = False) -> None:
        """A block of statements."""
        for index, statement in enumerate(body):
            previous = body[index - 1] if index else None
            is_doc = index == 0 and top and _is_text(statement)
            before = self._empty_lines(previous, statement, index == 1, top=top)
            self._writer.lines.extend([""] * before)
            first = len(self._writer.lines) + 1
            if is_doc or (index == 0 and not top and _is_text(statement)):
                self._docstring(statement, indent)
            else:
                self.statement(statement, indent)
            self._mark(statement, first)

    def _mark(self, statement: ast.AST, first: int) -> None:
        node = getattr(statement, NODE, None)
        if node is not None:
            self._writer.spans.append((first, len(self._writer.lines), node))

    def _empty_lines(
        self, previous: ast.stmt | None, statement: ast.stmt, second: bool, *, top: bool
    ) -> int:
        if previous is None:
            return 0
        if isinstance(previous, _DEFINITIONS) or isinstance(statement, _DEFINITIONS):
            return 2 if top else 1
        if top and second and _is_text(previous):
            return 1
        if isinstance(previous, _IMPORTS) and not isinstance(statement, _IMPORTS):
            return 1
        return int(getattr(statement, BLANK, False))

    def line(self, doc: Doc, indent: int) -> None:
        """A document as one logical line."""
        self._writer.lines.extend((" " * indent + render(doc, indent)).split("\n"))

    def _docstring(self, statement: Any, indent: int) -> None:
        text = docstring(statement.value.value)
        self._writer.lines.extend((" " * indent + text).split("\n"))

    def statement(self, statement: ast.stmt, indent: int) -> None:
        """One statement, with everything inside it."""
        layout = self._STATEMENTS.get(type(statement))
        if layout is None:
            raise TypeError(f"handlers have no {type(statement).__name__}")
        layout(self, statement, indent)

    def _verbatim(self, statement: Verbatim, indent: int) -> None:
        inside = _string_lines(statement.lines)
        for number, line in enumerate(statement.lines):
            indented = line.strip() and number not in inside
            kept = line if number in inside else line.rstrip()
            self._writer.lines.append(" " * indent + kept if indented else kept)

    def _expression(self, statement: ast.Expr, indent: int) -> None:
        operators = isinstance(statement.value, ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp)
        value = statement.value
        doc = self._expressions.loose(value) if operators else self._expressions.of(value, OPEN)
        self.line(doc, indent)

    def _assign(self, statement: ast.Assign, indent: int) -> None:
        targets: list[Doc] = [(self._expressions.assigned(t), " = ") for t in statement.targets]
        self.line((*targets, self._expressions.statement(statement.value)), indent)

    def _annotated(self, statement: ast.AnnAssign, indent: int) -> None:
        target = self._expressions.flat(statement.target)
        annotation = self._expressions.flat(statement.annotation)
        value: Doc = ""
        if statement.value is not None:
            value = (" = ", self._expressions.statement(statement.value))
        self.line((target, ": ", annotation, value), indent)

    def _augmented(self, statement: ast.AugAssign, indent: int) -> None:
        target = self._expressions.flat(statement.target)
        value = self._expressions.statement(statement.value)
        self.line((target, f" {SYMBOLS[type(statement.op)]}= ", value), indent)

    def _return(self, statement: ast.Return, indent: int) -> None:
        value = statement.value
        self.line(("return ", self._expressions.statement(value)) if value else "return", indent)

    def _raise(self, statement: ast.Raise, indent: int) -> None:
        doc: list[Doc] = ["raise"]
        if statement.exc:
            doc += [" ", self._expressions.loose(statement.exc)]
        if statement.cause:
            doc += [" from ", self._expressions.loose(statement.cause)]
        self.line(tuple(doc), indent)

    def _keyword(self, statement: ast.stmt, indent: int) -> None:
        self.line(type(statement).__name__.lower(), indent)

    def _names(self, statement: ast.Nonlocal | ast.Global, indent: int) -> None:
        word = type(statement).__name__.lower()
        self.line(f"{word} {', '.join(statement.names)}", indent)

    def _import(self, statement: ast.Import, indent: int) -> None:
        self.line("import " + ", ".join(_alias(alias) for alias in statement.names), indent)

    def _import_from(self, statement: ast.ImportFrom, indent: int) -> None:
        names: list[Doc] = [_alias(alias) for alias in statement.names]
        head = f"from {'.' * statement.level}{statement.module or ''} import "
        content = (*join(names), IfBroken(","))
        group = Group((IfBroken("("), Indent((SOFT, content)), SOFT, IfBroken(")")))
        self.line((head, group), indent)

    def _if(self, statement: ast.If, indent: int, word: str = "if") -> None:
        head = (f"{word} ", self._expressions.statement(statement.test), ":")
        self._clause(head, statement.body, indent)
        orelse = statement.orelse
        if len(orelse) == 1 and isinstance(orelse[0], ast.If):
            first = len(self._writer.lines) + 1
            self._if(orelse[0], indent, "elif")
            self._mark(orelse[0], first)
        else:
            self._clause("else:", orelse, indent)

    def _clause(self, head: Doc, body: list[ast.stmt], indent: int) -> None:
        """A further part of a compound statement, if there is one."""
        if body:
            self.line(head, indent)
            if isinstance(body[0], _DEFINITIONS):
                self._writer.lines.append("")
            self.suite(body, indent + INDENT)

    def _while(self, statement: ast.While, indent: int) -> None:
        head = ("while ", self._expressions.statement(statement.test), ":")
        self._clause(head, statement.body, indent)
        self._clause("else:", statement.orelse, indent)

    def _for(self, statement: ast.For | ast.AsyncFor, indent: int) -> None:
        word = "async for " if isinstance(statement, ast.AsyncFor) else "for "
        target = self._expressions.loop_target(statement.target)
        head = (word, target, " in ", self._expressions.statement(statement.iter), ":")
        self._clause(head, statement.body, indent)
        self._clause("else:", statement.orelse, indent)

    def _with(self, statement: ast.With | ast.AsyncWith, indent: int) -> None:
        word = "async with " if isinstance(statement, ast.AsyncWith) else "with "
        if len(statement.items) == 1:
            item = statement.items[0]
            doc = self._expressions.context(item.context_expr, item.optional_vars)
        else:
            content = (*join([self._with_item(item) for item in statement.items]), IfBroken(","))
            doc = Group((IfBroken("("), Indent((SOFT, content)), SOFT, IfBroken(")")))
        self._clause((word, doc, ":"), statement.body, indent)

    def _with_item(self, item: ast.withitem) -> Doc:
        context = self._expressions.of(item.context_expr, BRACKETS)
        if item.optional_vars is None:
            return context
        return (context, " as ", self._expressions.of(item.optional_vars, BRACKETS))

    def _try(self, statement: ast.Try, indent: int) -> None:
        self._clause("try:", statement.body, indent)
        for handler in statement.handlers:
            first = len(self._writer.lines) + 1
            head: list[Doc] = ["except"]
            if handler.type:
                head += [" ", self._expressions.statement(handler.type)]
            if handler.name:
                head.append(f" as {handler.name}")
            self._clause((*head, ":"), handler.body, indent)
            self._mark(handler, first)
        self._clause("else:", statement.orelse, indent)
        self._clause("finally:", statement.finalbody, indent)

    def _match(self, statement: ast.Match, indent: int) -> None:
        self.line(("match ", self._expressions.statement(statement.subject), ":"), indent)
        for case in statement.cases:
            guard: Doc = ""
            if case.guard:
                guard = (" if ", self._expressions.statement(case.guard))
            head = ("case ", self._pattern(case.pattern), guard, ":")
            self._clause(head, case.body, indent + INDENT)

    def _pattern(self, pattern: ast.pattern) -> Doc:
        match pattern:
            case ast.MatchValue(value):
                return self._expressions.of(value, OPEN)
            case ast.MatchSingleton(value):
                return repr(value)
            case ast.MatchAs(None, name):
                return name or "_"
            case ast.MatchOr(patterns):
                alternatives = [self._pattern(alternative) for alternative in patterns]
                content = tuple(join(alternatives, (SPACE, "| ")))
                return Group((IfBroken("("), Indent((SOFT, content)), SOFT, IfBroken(")")))
            case _:
                raise TypeError(f"handlers have no {type(pattern).__name__}")

    def _function(self, statement: ast.FunctionDef | ast.AsyncFunctionDef, indent: int) -> None:
        for decorator in statement.decorator_list:
            self.line(("@", self._expressions.loose(decorator)), indent)
        word = "async def " if isinstance(statement, ast.AsyncFunctionDef) else "def "
        returns: Doc = ""
        if statement.returns:
            returns = (" -> ", self._expressions.loose(statement.returns))
        signature = Group((self._parameters(statement.args), returns))
        head = (word, statement.name, signature, ":")
        if len(statement.body) == 1 and _is_ellipsis(statement.body[0]):
            self.line((head, " ..."), indent)
        else:
            self._clause(head, statement.body, indent)

    def _parameters(self, arguments: ast.arguments) -> Doc:
        items: list[Doc] = []
        positional = [*arguments.posonlyargs, *arguments.args]
        without = len(positional) - len(arguments.defaults)
        for index, parameter in enumerate(positional):
            default = arguments.defaults[index - without] if index >= without else None
            items.append(self._parameter(parameter, default))
            if index + 1 == len(arguments.posonlyargs):
                items.append("/")
        if arguments.vararg:
            items.append(("*", self._parameter(arguments.vararg, None)))
        elif arguments.kwonlyargs:
            items.append("*")
        for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            items.append(self._parameter(parameter, default))
        if arguments.kwarg:
            items.append(("**", self._parameter(arguments.kwarg, None)))
        if not items:
            return "()"
        content = (*join(items), IfBroken(","))
        return block("(", content if len(items) == 1 else Group(content), ")")

    def _parameter(self, parameter: ast.arg, default: ast.expr | None) -> Doc:
        doc: list[Doc] = [parameter.arg]
        if parameter.annotation:
            doc += [": ", self._expressions.of(parameter.annotation, BRACKETS)]
        if default:
            equals = " = " if parameter.annotation else "="
            doc += [equals, self._expressions.of(default, BRACKETS)]
        return tuple(doc)

    _STATEMENTS: ClassVar[dict[type[ast.stmt], Callable[[_Printer, Any, int], None]]] = {
        ast.Expr: _expression,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Pass: _keyword,
        ast.Break: _keyword,
        ast.Continue: _keyword,
        ast.Nonlocal: _names,
        ast.Global: _names,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.If: _if,
        ast.While: _while,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
        ast.Match: _match,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        Verbatim: _verbatim,
    }


def _alias(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_ellipsis(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is Ellipsis
    )


def _string_lines(lines: list[str]) -> set[int]:
    """The indexes of lines that begin inside a string."""
    inside: set[int] = set()
    opened: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            kind = tokenize.tok_name[token.type]
            if kind == "STRING":
                inside.update(range(token.start[0], token.end[0]))
            elif kind == "FSTRING_START":
                opened.append(token.start[0])
            elif kind == "FSTRING_END":
                inside.update(range(opened.pop(), token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        return inside
    return inside


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
