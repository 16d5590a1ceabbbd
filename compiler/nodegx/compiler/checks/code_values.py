"""Parameters that hold code or schemas: they are checked as a whole, and hold no templates."""

from __future__ import annotations

import ast
import warnings
from typing import Any, cast

from nodegx.compiler.diagnostics import quoted
from nodegx.compiler.graph import Literal, Value
from nodegx.runtime.catalog import checks as catalog_checks
from nodegx.runtime.catalog.types import Param

from .findings import Findings
from .model_errors import json_type
from .values import BROKEN, Place, checked_by, items_of, members_of


def parse_python(value: Any, param: Param, place: Place, findings: Findings) -> Value:
    """The body of a function in Python."""
    if not isinstance(value, str):
        message = f"`{place.name}` must be a text with Python code, not {json_type(value)}"
        findings.error("NX305", message, place.pointer)
        return BROKEN
    if not value.strip():
        findings.error("NX306", f"`{place.name}` is empty", place.pointer, hint="write return None")
        return BROKEN
    fault = _python_fault(value)
    if fault is not None:
        message, offset = fault
        findings.error(
            "NX319", f"`{place.name}` is not valid Python: {message}", place.pointer, offset=offset
        )
        return BROKEN
    return Literal(value)


def _python_fault(code: str) -> tuple[str, int] | None:
    """What Python says about the body of a function, and where (an offset into `code`)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(code).body or [ast.Pass()]
            shell = ast.parse("async def body(): pass")
            cast("ast.AsyncFunctionDef", shell.body[0]).body = body
            compile(ast.fix_missing_locations(shell), "<code>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.msg, _offset(code, error.lineno, error.offset)
    except (ValueError, RecursionError, MemoryError):
        return "it is nested too deeply or holds characters that code cannot have", 0
    return None


def _offset(code: str, line: int | None, column: int | None) -> int:
    lines = code.splitlines(keepends=True)
    before = sum(len(text) for text in lines[: max(0, (line or 1) - 1)])
    return min(before + max(0, (column or 1) - 1), max(0, len(code) - 1))


def parse_schema(value: Any, param: Param, place: Place, findings: Findings) -> Value:
    """A JSON Schema; it holds no templates."""
    if not isinstance(value, dict | bool):
        message = f"`{place.name}` must be a JSON Schema, an object, not {json_type(value)}"
        findings.error("NX305", message, place.pointer)
        return BROKEN
    fault = checked_by(param.check or catalog_checks.json_schema, value) or _reference_fault(value)
    if fault is not None:
        findings.error("NX306", f"`{place.name}` {fault}", place.pointer)
        return BROKEN
    return Literal(value)


def _reference_fault(schema: Any) -> str | None:
    """A reference to another document, which nothing would follow."""
    if isinstance(schema, list):
        return next(filter(None, map(_reference_fault, items_of(schema))), None)
    if not isinstance(schema, dict):
        return None
    members = members_of(schema)
    target = members.get("$ref")
    if isinstance(target, str) and not target.startswith("#") and "$id" not in members:
        return f"refers to another document, {quoted(target)}: put its parts under $defs"
    data = {"const", "enum", "default", "examples"}
    inner = [value for key, value in members.items() if key not in data]
    return _reference_fault(inner)
