"""A SQLite file that several make at once."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nodegx.runtime.database.sqlite import SqliteDatabase
from nodegx.runtime.errors import StoreUnavailable

OPENERS = 8


def test_several_may_make_the_file_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(OPENERS)

    def mode(path: Path) -> str:
        together.wait()
        database = SqliteDatabase(path, "The file")
        found = database.read("PRAGMA journal_mode")
        database.close()
        return found[0][0]

    with ThreadPoolExecutor(OPENERS) as threads:
        for number in range(20):
            modes = set(threads.map(mode, [tmp_path / f"{number}.sqlite3"] * OPENERS))
            assert modes == {"wal"}


def test_a_file_that_somebody_keeps_to_himself_is_not_waited_for_without_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "f.sqlite3"
    owner = sqlite3.connect(path, isolation_level=None)
    owner.execute("CREATE TABLE t (a)")
    owner.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="The file cannot be opened"):
        SqliteDatabase(path, "The file", timeout=0.2)
    owner.close()
