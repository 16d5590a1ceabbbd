"""`nodegx serve` as a process of its own, and several of them on one database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.projects import manual, write_project

NODEGX = Path(sys.executable).with_name("nodegx")


@contextmanager
def serving(root: Path, *arguments: str, **environment: str) -> Iterator[dict[str, Any]]:
    """A server; gives what it says once it is ready."""
    process = subprocess.Popen(
        [str(NODEGX), "serve", "--json", "--port", "0", *arguments],
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = [json.loads(process.stdout.readline())]
        while said[-1].get("event") == "message":
            said.append(json.loads(process.stdout.readline()))
        yield said[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.e2e
def test_it_compiles_and_serves(tmp_path: Path) -> None:
    write_project(tmp_path, manual("/#__cloud__/Hello", "hi"))
    with serving(tmp_path, "--url", "https://flows.example") as ready:
        assert ready["event"] == "ready"
        answer = httpx.post(f"{ready['url']}/_nodegx/workflows/Hello/run", json={}, timeout=60)
        assert answer.json()["response"]["body"] == "hi"
    assert (tmp_path / ".nodegx" / "history.sqlite3").exists()


@pytest.mark.e2e
def test_it_serves_what_was_compiled_before(tmp_path: Path) -> None:
    write_project(tmp_path, manual("/#__cloud__/Hello", "hi"))
    with serving(tmp_path, "--no-compile") as ready:
        assert ready["workflows"] == 0


@pytest.mark.e2e
def test_it_does_not_serve_a_project_with_mistakes(tmp_path: Path) -> None:
    broken = manual("/#__cloud__/Hello", "{{ nobody.knows }}")
    write_project(tmp_path, broken)
    done = subprocess.run(
        [str(NODEGX), "serve", "--port", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "`nobody`" in done.stdout + done.stderr
