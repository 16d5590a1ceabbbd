"""Failures that a command reports in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .exit_codes import ExitCode


class CliError(Exception):
    """Ends the command.

    Args:
        message: one sentence on what went wrong.
        code: what the shell gets.
        hint: what to do about it; may be empty.
    """

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILURE, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint


def not_found(kind: str, name: str, known: Iterable[str]) -> CliError:
    """The error for a name that nothing has, with the nearest names as a hint.

    Args:
        kind: what was looked for, such as `workflow`.
        name: what the user wrote.
        known: every name that would have been right.
    """
    names = sorted(set(known))
    near = nearest(name, names)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif names:
        shown = ", ".join(names[:12])
        hint = f"there is {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    else:
        hint = ""
    return CliError(f"no {kind} is called {name!r}", ExitCode.NOT_FOUND, hint=hint)


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of the known names that look like `name`, the best first; case is ignored."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.6)
    return [by_folded[match] for match in found]
