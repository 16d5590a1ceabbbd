"""Source files as they go into bundles: without docstrings and types, each line where it was.

They explain the runtime to its readers and to type checkers, and are a third of what would be
uploaded and compiled in every cold start. Lines keep their numbers, so that tracebacks stay true.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

SPECIAL = frozenset({"ClassVar", "InitVar", "KW_ONLY"})
"""Types that say more of a field than its type."""
ANY_TYPE = "int"
FUTURE = b"from __future__ import annotations\n"


def slim(source: bytes) -> bytes:
    """`source` without docstrings and types.

    Args:
        source: a Python module in UTF-8 that never looks at the types of its functions.
    """
    return without_types(without_docstrings(source))


def without_docstrings(source: bytes) -> bytes:
    """`source` with its docstrings, and the texts that explain variables, replaced by empty lines.
    One that is all there is of a body stays.

    Args:
        source: a Python module in UTF-8.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        texts = [each for each in node.body if _is_text(each)]
        if len(texts) == len(node.body) and not isinstance(node, ast.Module):
            continue
        for text in texts:
            if _has_lines_of_its_own(text, lines):
                last = text.end_lineno or text.lineno
                lines[text.lineno - 1 : last] = [b"\n"] * (last - text.lineno + 1)
    return b"".join(lines)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _has_lines_of_its_own(statement: ast.stmt, lines: list[bytes]) -> bool:
    """Whether nothing else stands on the lines of a statement."""
    before = lines[statement.lineno - 1][: statement.col_offset]
    after = lines[(statement.end_lineno or statement.lineno) - 1][statement.end_col_offset or 0 :]
    return not before.strip() and not after.strip()


class _Cut(NamedTuple):
    """A piece of text, and what comes in its place: lines count from 0, columns in bytes."""

    line: int
    column: int
    end_line: int
    end_column: int
    instead: bytes = b""


def without_types(source: bytes) -> bytes:
    """`source` without the annotations of functions and their variables, and without what is only
    imported for type checkers. Fields of classes keep an annotation, for it declares them, but one
    that takes no time.

    Args:
        source: a Python module in UTF-8.
    """
    lines = source.splitlines(keepends=True)
    for cut in sorted(_types(ast.parse(source), lines), reverse=True):
        first, last = lines[cut.line], lines[cut.end_line]
        kept = first[: cut.column] + cut.instead + last[cut.end_column :]
        # The lines in between are inside parentheses, or blank.
        lines[cut.line : cut.end_line + 1] = [kept, *[b"\n"] * (cut.end_line - cut.line)]
    found = b"".join(lines)
    # Evaluating what is left takes less than keeping it as text, of which named tuples make objects.
    return found if _has_types(ast.parse(found)) else found.replace(FUTURE, b"\n", 1)


def _has_types(tree: ast.Module) -> bool:
    """Whether types are left that cannot just be evaluated."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg)]
            if node.returns is not None or any(each is not None for each in given):
                return True
        elif isinstance(node, ast.Module | ast.ClassDef) and any(
            isinstance(each, ast.AnnAssign) and ast.unparse(each.annotation) != ANY_TYPE
            for each in node.body
        ):
            return True
    return False


def _types(tree: ast.Module, lines: list[bytes]) -> Iterator[_Cut]:
    for statement in tree.body:
        if isinstance(statement, ast.If) and not statement.orelse:
            test = statement.test
            if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
                end = (statement.end_lineno or statement.lineno) - 1
                yield _Cut(statement.lineno - 1, 0, end, len(lines[end].rstrip(b"\r\n")))
        if isinstance(statement, ast.AnnAssign):
            yield from _of_variables(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_arguments(node)
            yield from _of_result(node, lines)
            for statement in node.body:
                yield from _of_variables(statement)
        elif isinstance(node, ast.ClassDef):
            yield from _of_fields(node)


def _of_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[_Cut]:
    given = function.args
    several = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    for argument in several:
        if argument is not None and argument.annotation is not None:
            column = argument.col_offset + len(argument.arg.encode())
            end = (argument.end_lineno or argument.lineno) - 1
            yield _Cut(argument.lineno - 1, column, end, argument.end_col_offset or 0)


def _of_result(
    function: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[bytes]
) -> Iterator[_Cut]:
    result = function.returns
    if result is None or result.end_lineno != result.lineno:
        return
    line = lines[result.lineno - 1]
    arrow = line.rfind(b"->", 0, result.col_offset)
    colon = line.find(b":", result.end_col_offset or 0)
    if arrow >= 0 and colon >= 0:
        start = len(line[:arrow].rstrip())
        yield _Cut(result.lineno - 1, start, result.lineno - 1, colon)


def _of_fields(declared: ast.ClassDef) -> Iterator[_Cut]:
    """The types of fields. A named tuple compiles each of them, though nobody asks for it."""
    for statement in declared.body:
        if isinstance(statement, ast.AnnAssign):
            kind = statement.annotation
            # Those that dataclasses read, and those on several lines, stay.
            names = {node.id for node in ast.walk(kind) if isinstance(node, ast.Name)}
            if kind.lineno == kind.end_lineno and names.isdisjoint(SPECIAL):
                line = kind.lineno - 1
                yield _Cut(line, kind.col_offset, line, kind.end_col_offset or 0, ANY_TYPE.encode())


def _of_variables(statement: ast.stmt) -> Iterator[_Cut]:
    """The types of variables, which do nothing when a module or a function runs."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if isinstance(statement, ast.AnnAssign):
        target, kind = statement.target, statement.annotation
        one_line = target.lineno == kind.end_lineno
        if statement.value is not None and isinstance(target, ast.Name) and one_line:
            line = target.lineno - 1
            yield _Cut(line, target.end_col_offset or 0, line, kind.end_col_offset or 0)
    for inner in ast.iter_child_nodes(statement):
        if isinstance(inner, ast.stmt):
            yield from _of_variables(inner)
        elif isinstance(inner, ast.ExceptHandler | ast.match_case):
            for each in inner.body:
                yield from _of_variables(each)
