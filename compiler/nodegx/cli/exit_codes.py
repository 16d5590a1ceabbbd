"""What the `nodegx` command tells the shell."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes; scripts may rely on them."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    DIAGNOSTICS = 3
    NOT_FOUND = 4
    ENVIRONMENT = 5
    INTERNAL = 70
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done; warnings may have been printed",
    ExitCode.FAILURE: "the workflow's run or the operation failed",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.DIAGNOSTICS: "workflows have errors (NX codes)",
    ExitCode.NOT_FOUND: "no such project, workflow, node type or execution",
    ExitCode.ENVIRONMENT: "configuration, file system, port or an optional package",
    ExitCode.INTERNAL: "a fault in nodegx itself (--debug shows the traceback)",
    ExitCode.INTERRUPTED: "stopped with Ctrl-C; `nodegx dev` ends with 0 then",
}
