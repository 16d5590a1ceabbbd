"""What the command line prints and reads, whatever the locale and the data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NODEGX = str(Path(sys.executable).with_name("nodegx"))


@pytest.fixture
def shell(project: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def run(*arguments: str, **given: Any) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **given.pop("env", {})}
        options: dict[str, Any] = {"capture_output": True, "cwd": project, "env": environment}
        return subprocess.run([NODEGX, *arguments], **options, **given)

    return run


@pytest.fixture
def echo(add_workflow: Callable[..., Path]) -> None:
    add_workflow("/#__cloud__/Echo", "{{ start }}")


def test_marks_in_an_encoding_that_lacks_them(shell: Any, echo: None) -> None:
    done = shell("check", env={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert done.stdout.startswith(rb"\u2713 1 file")


def test_json_stays_json_in_any_encoding(shell: Any, echo: None) -> None:
    data = json.dumps({"text": "é ✓ 😀"}, ensure_ascii=False).encode()
    done = shell("run", "Echo", "--input", "-", "--json", input=data, env={"LC_ALL": "C"})
    end = json.loads(done.stdout.splitlines()[-1])
    assert end["answer"]["body"] == {"text": "é ✓ 😀"}
    done = shell("run", "Echo", "-i-", "--json", input=data, env={"PYTHONIOENCODING": "latin-1"})
    end = json.loads(done.stdout.splitlines()[-1].decode("latin-1"))
    assert end["answer"]["body"] == {"text": "é ✓ 😀"}


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
def test_half_a_surrogate_pair_in_the_history(
    shell: Any, echo: None, project: Path, format_: str
) -> None:
    # Anyone who can reach a webhook can send one.
    assert shell("run", "Echo", "--input", "-", input=rb'{"a": "\ud800"}').returncode == 0
    assert shell("history", "show", "latest", "--json").returncode == 0
    printed = shell("history", "export", "--format", format_)
    assert printed.returncode == 0
    assert rb"\ud800" in printed.stdout
    assert shell("history", "export", "--format", format_, "-o", "out").returncode == 0
    assert (project / "out").read_bytes() == printed.stdout


def test_input_with_a_byte_order_mark(shell: Any, echo: None) -> None:
    done = shell("run", "Echo", "--input", "-", input=b'\xef\xbb\xbf{"a": 1}')
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b'{"a": "\xff"}', b"the input in standard input is not UTF-8 text"),
        (b'{"a": NaN}', b"the input in standard input is not JSON: NaN is no JSON"),
        (b"", b"the input in standard input is not JSON"),
    ],
)
def test_input_that_is_no_json(shell: Any, echo: None, given: bytes, message: bytes) -> None:
    done = shell("run", "Echo", "--input", "-", input=given)
    assert (done.returncode, message in done.stderr) == (2, True)


def test_nan_on_the_command_line_is_text(nodegx: Any, echo: None) -> None:
    lines = nodegx("run", "Echo", "--set", "a=NaN", "--json").stdout.splitlines()
    assert json.loads(lines[-1])["answer"]["body"] == {"a": "NaN"}


def test_closed_streams(shell: Any, echo: None) -> None:
    done = shell("check", preexec_fn=lambda: (os.close(1), os.close(2)))
    assert done.returncode == 0


def test_code_that_prints_a_secret(shell: Any, project: Path) -> None:
    code = (
        "import logging\nprint('p', key)\nlogging.getLogger('x').warning('l %s', key)\nreturn key"
    )
    workflow = {
        "name": "/#__cloud__/Leak",
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {
                "id": "leak",
                "type": "code.python",
                "parameters": {"code": code, "inputs": {"key": "{{ secrets.KEY }}"}},
            },
            {"id": "answer", "type": "cloud.response", "parameters": {"body": "{{ leak }}"}},
        ],
        "connections": [
            {
                "sourceId": source,
                "sourcePort": port,
                "targetId": target,
                "targetPort": "run",
            }
            for source, port, target in (("start", "started", "leak"), ("leak", "done", "answer"))
        ],
    }
    (project / "workflows" / "leak.json").write_text(json.dumps(workflow))
    done = shell("run", "Leak", env={"NODEGX_SECRET_KEY": "tops3cret"})
    assert done.returncode == 0
    assert b"p [redacted]" in done.stdout
    assert b"l [redacted]" in done.stderr
    assert b"tops3cret" not in done.stdout + done.stderr
