"""Standard streams that take whatever is printed, however the terminal or pipe encodes it."""

from __future__ import annotations

import codecs
import io
import os
import sys

ESCAPED = "nodegx.escaped"
"""Error handler of codecs: writes what an encoding lacks as JSON does, `\\u2713`. JSON stays JSON,
and people still see which character it was."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)), error.end


codecs.register_error(ESCAPED, _escape)


def prepare() -> None:
    """Makes standard output and error fit for any text: encodings without `✓` and surrogates that
    stand alone in a body must not end a command. Streams that were closed lead to nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and stream.errors != "backslashreplace":
            stream.reconfigure(errors=ESCAPED)


def read_stdin() -> str:
    """All of standard input as UTF-8 text, whatever the locale says; a byte order mark is dropped.

    Raises:
        UnicodeDecodeError: it is something else.
    """
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:  # closed, or text already
        return "" if sys.stdin is None else sys.stdin.read()
    return binary.read().decode("utf-8-sig")
