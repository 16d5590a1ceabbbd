"""Executions in formats for other programs, written one at a time however many there are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from typing import IO, Any

from nodegx.runtime.history.record import ExecutionRecord
from nodegx.server.present import detail

COLUMNS = (
    "id",
    "workflow",
    "trigger",
    "status",
    "started",
    "finished",
    "duration",
    "parent",
    "revision",
    "host",
    "steps",
    "input",
    "output",
    "error",
)

Write = Callable[[Iterable[ExecutionRecord], IO[str]], int]
"""Writes executions to a file; returns how many there were."""


def write_json(records: Iterable[ExecutionRecord], file: IO[str]) -> int:
    """One JSON array."""
    count = 0
    for count, record in enumerate(records, 1):
        file.write("[\n" if count == 1 else ",\n")
        file.write(_dump(detail(record)))
    file.write("\n]\n" if count else "[]\n")
    return count


def write_json_lines(records: Iterable[ExecutionRecord], file: IO[str]) -> int:
    """One JSON object a line."""
    count = 0
    for record in records:
        file.write(_dump(detail(record)) + "\n")
        count += 1
    return count


def write_csv(records: Iterable[ExecutionRecord], file: IO[str]) -> int:
    """One row an execution, values as JSON text; `steps` is their number."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for record in records:
        count += 1
        data = detail(record)
        data["steps"] = len(record.steps)
        data |= {"input": record.input, "output": record.output, "error": record.error}
        writer.writerow([cell(data[column]) for column in COLUMNS])
    return count


def cell(value: Any) -> Any:
    """A value as a spreadsheet may see it. Programs take text that begins with one of these signs
    for a formula and run it; an apostrophe in front keeps it text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.lstrip(" ").startswith(FORMULA_SIGNS) else value


FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


FORMATS: dict[str, Write] = {"json": write_json, "jsonl": write_json_lines, "csv": write_csv}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
