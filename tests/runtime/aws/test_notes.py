"""Notes, left by processes that are killed for real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nodegx.runtime.aws.notes import SIZE, Notes, left_behind
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import INTERRUPTED_ERROR

WRITER = """
import sys
from nodegx.runtime.aws.notes import Notes
from nodegx.runtime.history.record import ExecutionRecord, Status

notes = Notes(sys.argv[1])
for number in range(int(sys.argv[2])):
    record = ExecutionRecord(f"x{number}", "/A", "start", Status.RUNNING, 1.5, input='"' + "é" * 9 + '"')
    notes.write(record)
if sys.argv[3] == "clear":
    notes.clear()
print("written", flush=True)
sys.stdin.read()
"""


def record(**fields: str) -> ExecutionRecord:
    return ExecutionRecord("x1", "/A", "start", Status.RUNNING, 1.5, **fields)


@contextmanager
def writer(folder: Path, count: int, then: str = "") -> Iterator[None]:
    """A process that has written notes; it is killed at the end."""
    command = [sys.executable, "-c", WRITER, str(folder), str(count), then]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def test_the_latest_note_of_a_killed_process_is_found_once(tmp_path: Path) -> None:
    with writer(tmp_path, 3):
        assert list(left_behind(str(tmp_path))) == []  # it lives
    (found,) = left_behind(str(tmp_path))
    assert (found.id, found.workflow, found.trigger, found.started) == ("x2", "/A", "start", 1.5)
    assert (found.status, found.error) == (Status.INTERRUPTED, INTERRUPTED_ERROR)
    assert found.input == '"ééééééééé"'
    assert list(left_behind(str(tmp_path))) == []


def test_what_is_not_kept_is_not_forgotten(tmp_path: Path) -> None:
    with writer(tmp_path, 1):
        pass
    next(left_behind(str(tmp_path)))  # its taker fails
    assert [each.id for each in left_behind(str(tmp_path))] == ["x0"]


def test_what_is_on_record_needs_no_note(tmp_path: Path) -> None:
    with writer(tmp_path, 2, "clear"):
        pass
    assert list(left_behind(str(tmp_path))) == []


def test_a_long_input_has_no_room(tmp_path: Path) -> None:
    notes = Notes(str(tmp_path))
    assert notes.write(record(input=f'"{"x" * 65_536}"'))
    assert not notes.write(record(input=f'"{"x" * SIZE}"'))


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    with writer(tmp_path, 1):
        pass
    tmp_path.chmod(0o777)
    assert list(left_behind(str(tmp_path))) == []
    with pytest.raises(PermissionError):
        Notes(str(tmp_path))


def test_half_a_note_is_none(tmp_path: Path) -> None:
    (tmp_path / "17").write_bytes(b'{"id": "x1", "work')
    (tmp_path / "18").write_bytes(b"")
    assert list(left_behind(str(tmp_path))) == []
    assert list(tmp_path.iterdir()) == []
