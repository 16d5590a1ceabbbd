"""Source files as they go into bundles: without docstrings, each line where it was.

They explain the runtime to its readers, and are a quarter of what would be uploaded and parsed in
every cold start. Lines keep their numbers, so that tracebacks stay true.
"""

from __future__ import annotations

import ast


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
