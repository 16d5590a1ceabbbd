"""Bodies of functions that users wrote: kept to the letter, and kept inside their function."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Any, cast

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.graph import DictValue, GraphNode, Literal
from nodegx.compiler.printer import Verbatim, print_module

from .syntax import dotted, function, tagged

INDENT = 4
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A module-level function that holds the user's code."""

    name: str
    definition: ast.FunctionDef | ast.AsyncFunctionDef
    is_async: bool


def user_function(node: GraphNode, name: str) -> UserFunction:
    """The function for the code of a `code.python` node.

    Raises:
        DiagnosticError: NX319, with the place inside the text, if it is not the body of one
            function.
    """
    code = str(node.literal("code") or "")
    text = re.sub("\r\n?", "\n", code)
    body = _parse(node, text)
    is_async = any(_awaits(statement) for statement in body)
    parameters = input_names(node)
    definition = tagged(_definition(name, text, body, parameters, is_async), node.id)
    made = UserFunction(name, definition, is_async)
    _prove(node, made, body)
    return made


def input_names(node: GraphNode) -> tuple[str, ...] | None:
    """The names of the code's arguments; None where only the run will tell, and the function takes
    them as a dict called `inputs`."""
    inputs = node.params.get("inputs")
    match inputs:
        case None | Literal(value=None):
            return ()
        case DictValue(items=members):
            return tuple(key for key, _ in members)
        case Literal(value=dict()):
            return tuple(cast("dict[str, Any]", inputs.value))
        case _:
            return None


def _parse(node: GraphNode, text: str) -> list[ast.stmt]:
    """The statements of the body."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except SyntaxError as error:
        raise _fault(node, error.msg, offset_of(text, error.lineno, error.offset)) from None
    except (ValueError, RecursionError, MemoryError):
        raise _fault(
            node, "it is nested too deeply or holds characters code cannot have", 0
        ) from None
    for statement in body:
        for part in _own_parts(statement):
            if isinstance(part, ast.Yield | ast.YieldFrom):
                at = offset_of(text, part.lineno, part.col_offset + 1)
                raise _fault(node, "`yield` makes it a generator; return a list", at)
    return body


def _definition(
    name: str,
    text: str,
    body: list[ast.stmt],
    parameters: tuple[str, ...] | None,
    is_async: bool,
) -> ast.FunctionDef | ast.AsyncFunctionDef:
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    held: list[ast.stmt] = [Verbatim(lines)]
    if not body:
        held.append(ast.Return(ast.Constant(None)))
    typed = [(parameter, "Any") for parameter in parameters or ()]
    made = function(name, held, typed, "Any", is_async=is_async)
    if parameters is None:
        made.args.kwarg = ast.arg("inputs", dotted("Any"))
    return made


def _prove(node: GraphNode, made: UserFunction, body: list[ast.stmt]) -> None:
    """Makes sure that what is printed is one function of that name with exactly this body."""
    text = print_module(ast.Module([made.definition], [])).text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            functions: list[Any] = ast.parse(text).body
            compile(text, "<code>", "exec", dont_inherit=True)
    except SyntaxError as error:
        code = str(node.literal("code") or "")
        head = text.count("\n", 0, text.index(":\n")) + 1
        at = offset_of(code, (error.lineno or 1) - head, (error.offset or 1) - INDENT)
        raise _fault(node, error.msg, at) from None
    except (ValueError, RecursionError, MemoryError):
        raise _fault(node, "it cannot be the body of a function", 0) from None
    wanted = body or [ast.Return(ast.Constant(None))]
    if (
        len(functions) != 1
        or not isinstance(functions[0], ast.FunctionDef | ast.AsyncFunctionDef)
        or functions[0].name != made.name
        or functions[0].decorator_list
        or [ast.dump(part) for part in functions[0].body] != [ast.dump(part) for part in wanted]
    ):
        raise _fault(node, "it is more than the body of one function", 0)


def _awaits(statement: ast.stmt) -> bool:
    for part in _own_parts(statement):
        if isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(part, ast.comprehension) and part.is_async:
            return True
    return False


def _own_parts(statement: ast.stmt) -> list[Any]:
    """Everything in a statement that belongs to the function itself, not to functions in it."""
    found: list[ast.AST] = []
    pending: list[ast.AST] = [statement]
    while pending:
        part = pending.pop()
        found.append(part)
        if not isinstance(part, _SCOPES):
            pending.extend(ast.iter_child_nodes(part))
    return found


def offset_of(text: str, line: int | None, column: int | None) -> int:
    """The offset of a line and column (both from 1) in a text."""
    lines = text.split("\n")
    before = sum(len(each) + 1 for each in lines[: max(0, (line or 1) - 1)])
    return max(0, min(before + max(0, (column or 1) - 1), len(text) - 1))


def _fault(node: GraphNode, message: str, offset: int) -> DiagnosticError:
    return DiagnosticError(
        [
            Diagnostic(
                "NX319",
                f"`code` is not valid Python: {message}",
                node.param_pointer("code"),
                "write the body of a function; `return` gives its value",
                node.id,
                offset,
            )
        ]
    )
