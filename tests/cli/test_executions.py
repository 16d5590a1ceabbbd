"""`nodegx executions` and `nodegx dead-letters` over real stores."""

from __future__ import annotations

import asyncio
import getpass
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from nodegx.cli.exit_codes import ExitCode
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.state import Entry, Kind, RunStatus, Wait
from nodegx.runtime.durable.store import Append
from nodegx.runtime.errors import FatalError
from nodegx.runtime.history.record import Status
from nodegx.runtime.loader import load

from tests.support.built import manual, simple, write_workflow
from tests.support.kept_runs import APPROVE, WAITS, Kept, failed, kept_in, run_state, waiting
from tests.support.operated import works

ME = f"{getpass.getuser()}@{socket.gethostname()}"


@pytest.fixture
def kept(project: Path) -> Kept:
    return kept_in(project)


def listed(nodegx: Any, *arguments: str) -> list[int]:
    result = nodegx("executions", "list", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [int(each["id"][3:7]) for each in json.loads(result.stdout)["executions"]]


# --- looking -------------------------------------------------------------------------------------


def test_list(nodegx: Any, kept: Kept) -> None:
    first, second = kept.add(*failed(1), waiting(2, due=time.time() + 7260))
    lines = nodegx("executions", "list").stdout.splitlines()
    assert lines[0].split() == ["ID", "WORKFLOW", "STATUS", "AGE", "DUE", "WHAT"]
    assert lines[1].split() == [
        *(first, "Pay", "✗", "failed", "9", "h", "the", "service", "is", "down", "(1)"),
    ]
    assert lines[2].split() == [
        *(second, "Approve", "◦", "waiting", "8", "h", "in", "2", "h"),
        *("approve:", "a", "POST", "request"),
    ]
    dead = nodegx("dead-letters", "list").stdout.splitlines()
    assert [text.split() for text in dead] == [text.split() for text in lines[:2]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [1, 2, 3, 4]),
        (["--status", "failed"], [1, 2, 3]),
        (["--status", "waiting", "--status", "queued"], [4]),
        (["--workflow", "Approve"], [4]),
        (["--error-code", "http.status"], [1, 3]),
        (["--since", "8h"], [3, 4]),
        (["--until", "8h"], [1, 2]),
        (["--limit", "2"], [1, 2]),
        (["--workflow", "/gone"], []),
    ],
)
def test_filters(nodegx: Any, kept: Kept, arguments: list[str], expected: list[int]) -> None:
    kept.add(*failed(1, 2, 3), waiting(4))
    assert listed(nodegx, *arguments) == expected


def test_pages(nodegx: Any, kept: Kept) -> None:
    kept.add(*failed(1, 2, 3))
    first = json.loads(nodegx("executions", "list", "--json", "--limit", "2").stdout)
    assert listed(nodegx, "--cursor", first["cursor"]) == [3]
    assert (
        f"more: --cursor {first['cursor']}" in nodegx("dead-letters", "list", "--limit", "2").stderr
    )


def test_looking_makes_no_stores(nodegx: Any, project: Path) -> None:
    assert listed(nodegx) == []
    assert "no executions match" in nodegx("executions", "list").stderr
    for command in (("show", "01"), ("retry", "01"), ("cancel", "--all", "--yes")):
        result = nodegx("executions", *command)
        assert result.exit_code == ExitCode.NOT_FOUND
        assert "no executions recorded yet" in result.stderr
    assert not (project / ".nodegx").exists()


def test_show(nodegx: Any, kept: Kept) -> None:
    state = waiting(
        2,
        (*WAITS, Wait("rest!answer", "time", time.time() - 1), Wait("call!answer", "call", None, {"execution": "01X"})),
        audit=({"at": "2026-11-28T09:00:00.000Z", "by": "bob@desk", "action": "resume", "steps": ["a b"]},),
    )  # fmt: skip
    kept.add(state)
    with kept.runs() as runs:
        entries = [Entry(f"s[{n}]", Kind.RESULT, '"geheim"', n, duration=0.5) for n in range(1, 13)]
        runs.change([Append(state.id, state.fence, entries)])
    result = nodegx("executions", "show", state.id[:9])
    text = result.stdout
    for expected in (
        f"{APPROVE}  ◦ waiting",
        "(8 h ago)",
        "durable    yes",
        "◦ approve  waits for a POST request\n",
        "◦ rest     waits for a time  now\n",
        "◦ call     waits for execution 01X\n",
        "journal  12 steps, 12 entries",
        "   12  result   s[12]  500 ms",
        f"nodegx executions resume {state.id} --answer FILE",
        '2026-11-28T09:00:00.000Z  bob@desk  resume  steps=["a b"]',
    ):
        assert expected in text, text
    assert "    4  result" not in text
    assert "geheim" not in text
    assert "s3cr3t" not in text
    data = json.loads(nodegx("executions", "show", state.id, "--json").stdout)
    assert data["execution"]["status"] == "waiting"
    assert [wait["kind"] for wait in data["run"]["waits"]] == ["webhook", "time", "call"]
    assert data["audit"][0]["by"] == "bob@desk"


def test_show_what_has_failed_and_what_has_ended(nodegx: Any, kept: Kept) -> None:
    plain, durable = kept.add(*failed(1), *failed(2, durable=True))
    text = nodegx("dead-letters", "show", plain).stdout
    assert "error the service is down (1) (http.status, retriable)" in text
    assert f"hint: nodegx executions retry {plain}; `discard` resolves it" in text
    text = nodegx("dead-letters", "show", durable).stdout
    assert f"hint: nodegx executions resume {durable}; `retry` starts it anew" in text
    assert nodegx("executions", "discard", plain).exit_code == 0
    text = nodegx("executions", "show", plain).stdout
    assert "✗ error" in text
    assert f"{ME}  discard\n" in text


# --- one execution -------------------------------------------------------------------------------


def test_retry(nodegx: Any, kept: Kept) -> None:
    (old,) = kept.add(*failed(1))
    result = nodegx("executions", "retry", old[:7], "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert (data["id"], data["action"], data["status"]) == (old, "retry", "queued")
    new = kept.state(data["executionId"])
    assert new is not None
    assert (new.status, new.revision, new.input) == (RunStatus.QUEUED, "rev2", '{"id":"A-1"}')
    assert kept.state(old) is None
    (entry,) = kept.audit(old)
    assert (entry["by"], entry["action"], entry["execution"]) == (ME, "retry", new.id)
    again = nodegx("executions", "retry", old)
    assert again.exit_code == ExitCode.FAILURE
    assert f"It was retried by {ME}" in again.stderr
    assert f"✓ {old} retried as " in nodegx("executions", "retry", old, "--again").stdout


def test_retry_with_another_input(nodegx: Any, kept: Kept, project: Path) -> None:
    first, second = kept.add(*failed(1, 2))
    (project / "input.json").write_text('{"id": "B-2"}')
    data = json.loads(
        nodegx("dead-letters", "retry", first, "--edit-input", "input.json", "--json").stdout
    )
    assert json.loads(kept.state(data["executionId"]).input) == {"id": "B-2"}  # type: ignore[union-attr]
    piped = nodegx("executions", "retry", second, "--edit-input", "-", input="[7]")
    assert piped.exit_code == 0
    refused = nodegx("executions", "retry", "--all", "--edit-input", "input.json")
    assert refused.exit_code == ExitCode.USAGE
    assert "--edit-input is for one execution" in refused.stderr


def test_answer(nodegx: Any, kept: Kept, project: Path) -> None:
    (id,) = kept.add(waiting(1))
    (project / "yes.json").write_text('{"action": "approve"}')
    result = nodegx("executions", "resume", id, "--answer", "yes.json")
    assert result.stdout == f"✓ {id} resumed\n"
    state = kept.state(id)
    assert state is not None
    assert state.due is not None
    assert state.due <= time.time()
    with kept.runs() as runs:
        (answer,) = runs.load(id).entries  # type: ignore[union-attr]
    assert json.loads(answer.value)["action"] == "approve"
    again = nodegx("executions", "resume", id, "--answer", "yes.json")
    assert "The wait at `approve` has its answer already" in again.stderr


def test_discard_and_cancel(nodegx: Any, kept: Kept) -> None:
    first, second = kept.add(*failed(1), waiting(2))
    assert nodegx("dead-letters", "discard", first, "--reason", "Known").exit_code == 0
    assert kept.audit(first)[0]["reason"] == "Known"
    result = nodegx("executions", "cancel", second, "--reason", "Wrong order")
    assert result.stdout == f"✓ {second} cancelled\n"
    record = kept.record(second)
    assert (record.status, json.loads(record.error or "")["message"]) == (
        Status.CANCELLED,
        "Wrong order",
    )
    assert listed(nodegx) == []


def test_cancel_what_runs(nodegx: Any, kept: Kept) -> None:
    (id,) = kept.add(waiting(1))
    with kept.runs() as host:
        assert host.claim_one(id, statuses=[RunStatus.WAITING]) is not None
        result = nodegx("executions", "cancel", id)
        assert result.stdout == f"✓ {id} is being cancelled  its host has been asked to end it\n"
        assert [state.id for state in host.cancels()] == [id]


async def test_resume_and_fork_go_on_for_real(nodegx: Any, kept: Kept, project: Path) -> None:
    """Executions fail and go on inside a real host; between, somebody is at the command line."""
    down, done = [True], list[str]()

    async def step(name: str) -> str:
        done.append(name)
        if down and name == "pay":
            raise FatalError("down", code="http.status")
        return name

    @workflow(APPROVE, durable=True)
    async def pay(run: Run) -> None:
        await run.step(Node("save", "code.python"), step, "save")
        await run.step(Node("pay", "code.python"), step, "pay")

    async with works(project / ".nodegx", pay) as host:
        id = await host.start(pay)
        resumed = nodegx("executions", "resume", id)
        assert resumed.stdout == f"✓ {id} resumed\n", resumed.output
        down.clear()
        await host.drive()
        assert host.record(id).status is Status.SUCCESS
        forked = nodegx("executions", "fork", id, "--from", "pay", "--json")
        new = json.loads(forked.stdout)["executionId"]
        await host.drive()
        assert host.record(new).status is Status.SUCCESS
    assert done == ["save", "pay", "pay", "pay"]


async def test_migrate_to_what_is_compiled(nodegx: Any, kept: Kept, project: Path) -> None:
    def build(body: str, revision: str) -> Path:
        text = simple(APPROVE, body, options=", durable=True")
        folder = project / "build"
        return write_workflow(folder, APPROVE, text, [manual()], revision=revision, durable=True)

    wait = "    await run.emit(EMIT, 'e')\n    await run.wait(WAIT, seconds=3600)"
    old = load(build(wait, "rev3"))
    async with works(project / ".nodegx", old) as host:
        id = await host.start(old)
        build(wait.replace("emit(EMIT, 'e')", "respond(RESPOND)"), "rev4")
        refused = await asyncio.to_thread(nodegx, "executions", "migrate", id)
        assert refused.exit_code == ExitCode.FAILURE
        assert "Revision rev4 does not fit: The code runs `respond` at the start" in refused.stderr
        build(f"{wait}\n    await run.respond(RESPOND, body=5)", "rev5")
        moved = await asyncio.to_thread(nodegx, "executions", "migrate", id)
        assert moved.stdout == f"✓ {id} migrated\n", moved.output
        assert host.state(id).revision == "rev5"
        kept_code = project / ".nodegx/versions/approve/rev3"
        kept_code.mkdir(parents=True)
        for name in ("handler.py", "manifest.json"):
            text = (project / "build/approve" / name).read_text().replace("rev5", "rev3")
            (kept_code / name).write_text(text)
        back = await asyncio.to_thread(nodegx, "executions", "migrate", id, "--to", "rev3")
        assert back.exit_code == 0, back.output
        assert host.state(id).revision == "rev3"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["retry"], 2, "which executions are to be retried?"),
        (["show", "01KX"], 4, "There is no execution 01KX"),
        (["cancel", "01KX"], 4, "There is no execution 01KX"),
        (["retry", "01K"], 2, "several executions begin with '01K'"),
        (["cancel", "01K0001"], 1, "It has failed already; discard it to resolve it"),
        (["resume", "01K0001"], 1, "It is not durable, so it can only start anew: retry it"),
        (["resume", "01K0002"], 1, "It is waiting, not failed; it can be told to go on now"),
        (["resume", "01K0002", "--now"], 1, "`approve` waits for a request, so it needs"),
        (["resume", "01K0002", "--step", "x"], 2, "--step goes with --now or --answer"),
        (["resume", "01K0002", "--now", "--step", "x"], 1, "It does not wait at `x`"),
        (["resume", "01K0002", "--now", "--answer", "x"], 2, "exclude each other"),
        (["resume", "--all", "--answer", "x"], 2, "--answer is for one execution"),
        (["resume", "01K0002", "--answer", "none.json"], 4, "there is no file none.json"),
        (["fork", "01K0001", "--from", "x"], 1, "is not durable, so it can only start anew"),
        (["fork", "01K0001"], 2, "Missing option '--from'"),
        (["migrate", "01K0002", "--to", "rev9"], 1, "Revision rev9 of"),
        (["migrate", "01K0001"], 1, "It is not durable; a retry starts it"),
        (["discard", "01K0002"], 1, "It is waiting, not failed; cancel it to end it"),
        (["discard", "--ids-from", "none.txt", "--yes"], 4, "there is no file none.txt"),
        (["cancel", "--status", "failed"], 2, "'failed' is not one of"),
    ],
)
def test_refusals(nodegx: Any, kept: Kept, arguments: list[str], code: int, message: str) -> None:
    kept.add(*failed(1), waiting(2))
    result = nodegx("executions", *arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    for number, status in ((1, RunStatus.FAILED), (2, RunStatus.WAITING)):
        state = kept.state(run_state(number, status).id)
        assert state is not None
        assert (state.status, state.audit) == (status, ())


def test_hints(nodegx: Any, kept: Kept) -> None:
    (id,) = kept.add(*failed(1))
    with kept.runs() as runs:
        runs.delete([id])
    with kept.history() as history:
        record = history.get(id)
        assert record is not None
        record.input = '{"password": "[redacted]"}'
        history.write([], [record])
    result = nodegx("executions", "retry", id)
    assert "Its input cannot be used again, because parts of it are secret" in result.stderr
    assert "`--edit-input FILE` gives it an input" in result.stderr
    data = json.loads(nodegx("executions", "retry", id, "--json").stdout)
    assert data["error"]["kind"] == "failure"
