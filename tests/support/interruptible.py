"""Commands that take interrupts."""

from __future__ import annotations

import sys
from pathlib import Path

_TAKES_INTERRUPTS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def interruptible(program: str | Path, *arguments: str) -> list[str]:
    """The command that runs a program so that it takes interrupts, which tests that a shell runs in
    the background inherit to ignore. No `preexec_fn`: threads of gRPC do not bear the fork that it
    needs.

    Args:
        program: its path.
        arguments: what it is called with.
    """
    return [sys.executable, "-c", _TAKES_INTERRUPTS, str(program), *arguments]
