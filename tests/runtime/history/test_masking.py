"""Secrets in what a process prints."""

from __future__ import annotations

import logging
import sys

import pytest
from nodegx.runtime.history.masking import masked_output
from nodegx.runtime.history.redact import MARKER


def test_hides_what_is_printed_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = {"KEY": "tops3cret"}
    with masked_output(secrets):
        print("key", "tops3cret")
        print("base64 czN0b3BzM2NyZXQ=? tops3cret", file=sys.stderr)
        sys.stdout.writelines(["a tops3cret", "\n"])
        logging.lastResort.handle(  # pyright: ignore[reportOptionalMemberAccess]
            logging.LogRecord("x", logging.WARNING, "", 0, "logged %s", ("tops3cret",), None)
        )
    print("tops3cret")
    out, err = capsys.readouterr()
    assert out == f"key {MARKER}\na {MARKER}\ntops3cret\n"
    assert "tops3cret" not in err
    assert f"logged {MARKER}" in err


def test_exchanged_secrets_stay_secret(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = {"KEY": "first-one"}
    with masked_output(secrets):
        print("first-one")
        secrets["KEY"] = "second-one"
        print("first-one second-one")
    assert capsys.readouterr().out == f"{MARKER}\n{MARKER} {MARKER}\n"


def test_the_stream_stays_usable(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_output({}):
        assert sys.stdout.write("text") == 4
        sys.stdout.flush()
        assert not sys.stdout.isatty()
        assert sys.stdout.encoding
