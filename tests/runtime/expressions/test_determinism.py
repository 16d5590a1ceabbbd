"""The same values come out in every process: executions are resumed on other machines, and must
find there what they saw before."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nodegx.compiler.expressions.functions import FUNCTIONS, METHODS
from nodegx.runtime import expressions as fx

SOURCES = sorted(Path(fx.__file__).parent.glob("*.py"))
CHANGING = {"time", "random", "secrets", "uuid", "locale", "os", "platform", "socket", "threading"}
"""Modules whose answers differ from one process to the next."""

PROGRAM = """
from nodegx.runtime import expressions as fx

words = {"pear", "fig", "apple", "plum", "kiwi", "lime", "date", "nut"}
moment = "2026-03-01T15:04:05+01:00"
print(fx.text(words), fx.join(words, "-"), fx.first(fx.reverse(words)), fx.unique(words))
print(fx.sort(words), fx.difference(words, ["fig"]), fx.intersection(words, {"fig", "nut"}))
print(fx.chunk(words, 3), fx.to_json({"a": words}), fx.sha256(words), fx.flatten([[1], (2, 3)]))
print(fx.text(fx.group_by([{"k": words, "v": 1}, {"k": words, "v": 2}], "k")))
print(fx.format_date(moment, "%A %a %B %b %p %Y %d %H:%M:%S %Z %z %%A"))
print(fx.parse_date("Sun, 01 Mar 2026 15:04:05 GMT", "%a, %d %b %Y %H:%M:%S %Z"))
print(fx.parse_date("2026-03-01 15:04 utc", "%Y-%m-%d %H:%M %Z"), fx.timestamp("2026-03-01"))
print(fx.start_of("2026-03-01T00:30:00", "day"), fx.format_date("0042-01-01", "%Y"))
"""


def printed(**environment: str) -> str:
    """What the program prints with these environment variables."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_hash_seeds_and_time_zones_do_not_matter() -> None:
    expected = printed(PYTHONHASHSEED="1", TZ="UTC")
    assert "Sunday Sun March Mar PM 2026 01 15:04:05 UTC+01:00 +0100 %A" in expected
    assert "2026-03-01T15:04:05Z" in expected
    assert printed(PYTHONHASHSEED="2", TZ="America/New_York") == expected
    assert printed(PYTHONHASHSEED="77", TZ="Asia/Tokyo") == expected


def test_zones_of_the_machine_are_not_read() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from nodegx.runtime import expressions as fx\n"
            "try:\n    print(fx.parse_date('2026-03-01 JST', '%Y-%m-%d %Z'))\n"
            "except Exception as error:\n    print(error.code)\n",
        ],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "expression.value"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_asks_the_clock_chance_or_the_machine(path: Path) -> None:
    for part in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(part, ast.Import):
            names = [alias.name for alias in part.names]
        elif isinstance(part, ast.ImportFrom):
            names = [part.module or ""]
        elif isinstance(part, ast.Attribute):
            assert part.attr not in {"now", "today", "utcnow", "localtime"}
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            assert part.func.id not in {"hash", "id", "vars", "globals"} or path.stem == "__init__"
        allowed = {"threading"} if path.stem == "limits" else set[str]()
        assert not {name.partition(".")[0] for name in names} & (CHANGING - allowed)


def test_what_changes_is_asked_of_the_run() -> None:
    targets = {function.target for function in (*FUNCTIONS.values(), *METHODS.values())}
    changing = {target for target in targets if target.startswith("run.")}
    assert changing == {"run.now", "run.uuid", "run.random", "run.resume_url"}
