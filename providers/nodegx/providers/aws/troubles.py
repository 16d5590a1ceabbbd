"""What the engine says when it cannot go on, in words for whoever deploys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from nodegx.providers.errors import ProviderError

from .steps import Message

SUMMARIES = frozenset({"update failed", "preview failed", "destroy failed", "refresh failed"})
"""What the engine says at the end, after the reason."""


class Locked(ProviderError):
    """Somebody else holds the stack. `process` and `host` say who, where that is known."""

    def __init__(self, message: str, hint: str, process: int | None, host: str | None) -> None:
        super().__init__(message, hint)
        self.process = process
        self.host = host


def unknown_stack(name: str) -> ProviderError:
    """The error for a stack that is not there."""
    return ProviderError(
        f"there is no stack {name!r}",
        f"`nodegx stacks list` shows what there is; `nodegx stacks init {name}` makes it",
        "not found",
    )


_LOCK = re.compile(r"locked by (\d+) lock")
_HOLDER = re.compile(r"created by ([^@\s]+)@([^\s]+) \(pid (\d+)\) at (\S+)")
_NO_STACK = re.compile(r"no stack named '([^']+)' found")

_EXPLANATIONS: Sequence[tuple[str, str, str]] = (
    (
        "incorrect passphrase",
        "the passphrase of the stack's secrets is wrong",
        "set PULUMI_CONFIG_PASSPHRASE to the one the stack was made with",
    ),
    (
        "passphrase must be set",
        "the passphrase of the stack's secrets is needed",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    ),
    (
        "pending operations",
        "an earlier deployment was cut off while it made something",
        "`nodegx deploy` finds out what became of it and goes on",
    ),
)


def explain(text: str) -> ProviderError:
    """What the command said, in words for whoever deploys."""
    if _LOCK.search(text):
        holder = _HOLDER.search(text)
        who = "somebody" if holder is None else f"{holder[1]} on {holder[2]}, since {holder[4]},"
        return Locked(
            f"{who} is deploying this stack, or was cut off while doing so",
            "wait; or if nobody is, `nodegx deploy --unlock` takes over",
            None if holder is None else int(holder[3]),
            None if holder is None else holder[2],
        )
    if missing := _NO_STACK.search(text):
        return unknown_stack(missing[1].rpartition("/")[2])
    for mark, message, hint in _EXPLANATIONS:
        if mark in text:
            return ProviderError(message, hint)
    return ProviderError(f"pulumi: {last(text)}", hint_for(text), "failure")


_HINTS: Mapping[str, str] = {
    "AccessDenied": "the credentials lack a permission: `nodegx stacks policy` prints the "
    "policy that deploying needs",
    "is not authorized to perform": "the credentials lack a permission: `nodegx stacks "
    "policy` prints the policy that deploying needs",
    "ExpiredToken": "the credentials have expired: log in again",
    "is protected": "resources that hold data are protected in production; set `production` to "
    "false in the stack's file and deploy, if they may go",
    "ResourceConflictException": "something else is changing the same function; try again",
}


def hint_for(text: str) -> str:
    return next((hint for mark, hint in _HINTS.items() if mark in text), "")


def first(errors: Iterable[Message]) -> str:
    """The first errors, one line each, without the engine's own summary at the end."""
    texts = [
        f"{each.urn.rpartition('::')[2]}: {each.text}" if each.urn else each.text
        for each in errors
        if each.text not in SUMMARIES
    ]
    shown = texts[:3] or ["the operation failed"]
    more = f" (and {len(texts) - 3} more)" if len(texts) > 3 else ""
    return "; ".join(shown) + more


def last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it gave no reason"])[-1]
