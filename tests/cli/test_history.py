"""`nodegx history` over a history with known executions."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli import output
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.exporting import cell, write_csv, write_json, write_json_lines
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.sqlite import SqliteStore

pytestmark = pytest.mark.slow

START = 1_795_000_000.0
ORDERS, REPORT = "/#__cloud__/ProcessOrder", "/#__cloud__/NightlyReport"


def record(number: int, workflow: str = ORDERS, status: Status = Status.SUCCESS) -> ExecutionRecord:
    """An execution of two steps that started `number` minutes after START."""
    started = START + 60 * number
    failed = status == Status.ERROR
    error = json.dumps(
        {
            "message": "the service answered 503",
            "code": "http.status",
            "category": "retriable",
            "node": "charge",
            "attempts": 3,
            "details": {"body": "busy"},
        }
    )
    return ExecutionRecord(
        id=f"01K{number:04}ABCDEFGHJKMNPQRSTV",
        workflow=workflow,
        trigger="order",
        status=status,
        started=started,
        finished=started + 0.25,
        revision="c0ffee",
        input=json.dumps({"total": number, "note": "=1+1"}),
        output=None if failed else json.dumps({"status": 201, "body": {"charge": f"ch_{number}"}}),
        error=error if failed else None,
        steps=[
            StepRecord(
                "large",
                "large",
                "logic.if",
                started + 0.001,
                0.0,
                Status.SUCCESS,
                port="true",
            ),
            StepRecord(
                "charge",
                "charge",
                "http.request",
                started + 0.05,
                0.15,
                Status.ERROR if failed else Status.SUCCESS,
                attempts=3 if failed else 1,
                port=None if failed else "done",
                input=json.dumps({"method": "POST", "url": "http://pay.example"}),
                output=None if failed else json.dumps({"status": 201}),
                error=error if failed else None,
            ),
        ],
        host="test",
    )


@pytest.fixture
def recorded(project: Path) -> list[ExecutionRecord]:
    """Five executions, one of which failed and one of which was of another workflow."""
    records = [record(number) for number in range(3)]
    records += [record(3, status=Status.ERROR), record(4, workflow=REPORT)]
    store = SqliteStore(project / ".nodegx/history.sqlite3")
    store.write([], records)
    store.close()
    built = project / "build/process_order"
    built.mkdir(parents=True)
    manifest = {"formatVersion": 1, "name": ORDERS, "triggers": []}
    (built / "manifest.json").write_text(json.dumps(manifest))
    return records


def listed(nodegx: Any, *arguments: str) -> list[str]:
    """Ids that `history list` gives, shortened to their number."""
    result = nodegx("history", "list", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [execution["id"][3:7] for execution in json.loads(result.stdout)["executions"]]


def test_list(nodegx: Any, recorded: list[ExecutionRecord]) -> None:
    result = nodegx("history", "list")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["ID", "STARTED", "WORKFLOW", "STATUS", "TOOK", "ERROR"]
    assert [line.split()[0] for line in lines[1:]] == [r.id for r in reversed(recorded)]
    assert "NightlyReport" in lines[1]
    assert "✗ error" in lines[2]
    assert "250 ms" in lines[2]
    assert lines[2].endswith("the service answered 503")


def minutes(count: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(START + 60 * count))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["0004", "0003", "0002", "0001", "0000"]),
        (["--limit", "2"], ["0004", "0003"]),
        (["--workflow", "ProcessOrder"], ["0003", "0002", "0001", "0000"]),
        (["--workflow", "process_order", "--status", "success"], ["0002", "0001", "0000"]),
        (["--workflow", REPORT], ["0004"]),
        (["--status", "error", "--status", "timeout"], ["0003"]),
        (["--since", minutes(3)], ["0004", "0003"]),
        (["--since", minutes(1), "--until", minutes(3)], ["0002", "0001"]),
        (["--search", "CH_2"], ["0002"]),
        (["--search", "nothing like it"], []),
        (["--since", "now"], []),
    ],
)
def test_filters(
    nodegx: Any, recorded: list[ExecutionRecord], arguments: list[str], expected: list[str]
) -> None:
    assert listed(nodegx, *arguments) == expected


def test_pages(nodegx: Any, recorded: list[ExecutionRecord]) -> None:
    first = json.loads(nodegx("history", "list", "--json", "--limit", "3").stdout)
    assert len(first["executions"]) == 3
    assert listed(nodegx, "--limit", "3", "--cursor", first["cursor"]) == ["0001", "0000"]
    assert nodegx("history", "list", "--cursor", "§").exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["list", "--since", "yesterday"], 2, "no point in time"),
        (["list", "--workflow", "ProcesOrder"], 4, "did you mean ProcessOrder?"),
        (["show", "01K9"], 4, "no execution '01K9'"),
        (["show", "01K000"], 2, "5 executions begin with"),
        (["show", "latest", "--status", "running"], 4, "no execution matches"),
        (["show", "01K0003", "--step", "nothing"], 4, "has no step 'nothing'"),
        (["export", "--format", "xml"], 2, "xml"),
    ],
)
def test_mistakes(
    nodegx: Any, recorded: list[ExecutionRecord], arguments: list[str], code: int, message: str
) -> None:
    result = nodegx("history", *arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr


def test_without_any_execution(nodegx: Any, project: Path) -> None:
    assert listed(nodegx) == []
    assert "no executions recorded yet" in nodegx("history", "list").stderr
    assert nodegx("history", "show").exit_code == ExitCode.NOT_FOUND
    assert nodegx("history", "export").stdout == "[]\n"
    assert not (project / ".nodegx").exists(), "looking must not make a history"


def test_show(nodegx: Any, recorded: list[ExecutionRecord]) -> None:
    result = nodegx("history", "show", "01K0003")
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(recorded[3].started))
    assert result.stdout == (
        "/#__cloud__/ProcessOrder  ✗ error\n"
        "  execution  01K0003ABCDEFGHJKMNPQRSTV\n"
        f"  started    {started}.000\n"
        "  took       250 ms\n"
        "  trigger    order\n"
        "  revision   c0ffee\n"
        "\n"
        "  ✓ large   logic.if      │▏                       │     0 µs  → true\n"
        "  ✗ charge  http.request  │    ██████████████▍     │   150 ms  3 attempts\n"
        "\n"
        'input  {"total": 3, "note": "=1+1"}\n'
        "error the service answered 503 (http.status, retriable, node charge, 3 attempts)\n"
        '  details {"body": "busy"}\n'
        "  hint: the service refused: see details; wire `failure`, or accept the status under"
        " `successStatus`\n"
        "\n"
        "charge  http.request\n"
        '  in  {"method": "POST", "url": "http://pay.example"}\n'
        "  error the service answered 503 (http.status, retriable, node charge, 3 attempts)\n"
        '    details {"body": "busy"}\n'
        "    hint: the service refused: see details; wire `failure`, or accept the status under"
        " `successStatus`\n"
    )


def test_show_latest_with_filters(nodegx: Any, recorded: list[ExecutionRecord]) -> None:
    arguments = ("latest", "--workflow", "ProcessOrder", "--status", "success", "--json")
    data = json.loads(nodegx("history", "show", *arguments).stdout)
    assert data["id"] == recorded[2].id
    assert data["input"] == {"total": 2, "note": "=1+1"}
    assert [step["port"] for step in data["steps"]] == ["true", "done"]


def test_show_one_step_whole(nodegx: Any, project: Path) -> None:
    long = record(0)
    long.steps[1].output = json.dumps({"rows": list(range(200))})
    store = SqliteStore(project / ".nodegx/history.sqlite3")
    store.write([], [long])
    store.close()
    cut = nodegx("history", "show").stdout
    assert "more lines (--full shows them)" in cut
    assert "  199\n" not in cut
    for arguments in (["--full"], ["--step", "charge"]):
        assert "  199\n" in nodegx("history", "show", *arguments).stdout


def test_values_cannot_steer_the_terminal(nodegx: Any, project: Path) -> None:
    evil = "\x1b[2J\x9b31m\u202e"
    bad = record(0, workflow=f"/a{evil}", status=Status.ERROR)
    bad.input = json.dumps({"a": evil}, ensure_ascii=False)
    bad.error = json.dumps({"message": evil, "code": evil, "node": evil})
    bad.steps[0].id = evil
    bad.steps[0].port = evil
    store = SqliteStore(project / ".nodegx/history.sqlite3")
    store.write([], [bad])
    store.close()
    for arguments in (["show"], ["list"]):
        printed = nodegx("history", *arguments).stdout
        assert not set(printed) & set(evil) - set("[2J31m"), arguments


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
def test_export_to_a_file(
    nodegx: Any, recorded: list[ExecutionRecord], project: Path, format_: str
) -> None:
    target = project / f"out.{format_}"
    result = nodegx("history", "export", "-o", target)
    assert result.stdout == f"5 executions → out.{format_}\n"
    content = target.read_bytes().decode()
    assert content == nodegx("history", "export", "--format", format_).stdout_bytes.decode()
    assert list(project.glob(".*.tmp")) == []


def test_export_through_a_link(
    nodegx: Any, recorded: list[ExecutionRecord], tmp_path: Path
) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    assert nodegx("history", "export", "-o", link).exit_code == 0
    assert link.is_symlink()
    assert len(json.loads(real.read_text())) == len(recorded)


def test_export_into_a_pipe(nodegx: Any, recorded: list[ExecutionRecord], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as readers:
        read = readers.submit(pipe.read_text)
        assert nodegx("history", "export", "-o", pipe).exit_code == 0
        assert len(json.loads(read.result(10))) == len(recorded)
    assert pipe.is_fifo()


def test_ids_are_whole_on_a_narrow_terminal(
    nodegx: Any, recorded: list[ExecutionRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    shown = nodegx("history", "list").stdout
    assert all(record.id in shown for record in recorded)


def test_export_json(nodegx: Any, recorded: list[ExecutionRecord]) -> None:
    everything = json.loads(nodegx("history", "export").stdout)
    assert [one["id"] for one in everything] == [one.id for one in reversed(recorded)]
    assert everything[0]["steps"][0]["node"] == "large"
    lines = nodegx("history", "export", "--format", "jsonl", "--limit", "2").stdout.splitlines()
    assert [json.loads(line) for line in lines] == everything[:2]


def test_export_csv(nodegx: Any, recorded: list[ExecutionRecord]) -> None:
    text = nodegx("history", "export", "--format", "csv", "--status", "error").stdout
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["workflow"] == ORDERS
    assert row["duration"] == "0.25"
    assert row["steps"] == "2"
    assert json.loads(row["input"])["note"] == "=1+1"
    assert json.loads(row["error"])["code"] == "http.status"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])  # noqa: RUF001
def test_spreadsheets_find_no_formulas(sign: str) -> None:
    assert cell(f"{sign}cmd|' /C calc'!A0").startswith("'")
    assert cell("plain") == "plain"
    assert cell(-3) == -3
    assert cell(None) == ""


@pytest.mark.parametrize("write", [write_json, write_json_lines, write_csv])
def test_export_needs_little_memory(write: Any) -> None:
    class Sink(io.TextIOBase):
        def write(self, text: str) -> int:
            return len(text)

    tracemalloc.start()
    assert write((record(number) for number in range(3000)), Sink()) == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, f"{peak} bytes on {sys.version}"
