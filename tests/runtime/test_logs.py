from __future__ import annotations

import io
import json
import sys

import pytest
from nodegx.runtime.logs import Log


def test_lines_are_json_without_empty_fields(capsys: pytest.CaptureFixture[str]) -> None:
    Log().write("info", "a\nb \ud800", execution="X", node=None, took=0.5)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "execution": "X", "message": "a\nb \ud800", "took": 0.5}


def test_levels_below_are_left_out() -> None:
    stream = io.StringIO()
    log = Log("warning", stream)
    log.write("info", "no")
    log.write("error", "yes")
    assert not log.wants("debug")
    log.level = "debug"
    assert log.level == "debug"
    log.write("debug", "now")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == [
        "yes",
        "now",
    ]


def test_a_stream_that_is_gone_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    Log(stream=stream).write("error", "lost")
    monkeypatch.setattr(sys, "stderr", None)
    Log().write("error", "lost")
