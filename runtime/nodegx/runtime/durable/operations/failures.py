"""Which failures of a journal have led to the end of its execution.

A workflow handles many failures: by a wired `failure`, a *try*, another attempt, a race that
another branch wins. What it did then follows from them, so these must stay in the journal. Whether
a node's failures are handled is fixed in the drawing but for attempts and races, which leave traces
of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from nodegx.runtime.durable.state import Entry, Kind, RunState

CHILD = "!child"

_ATTEMPT = re.compile(r"#(\d+)")


def error_of(state: RunState) -> dict[str, Any]:
    """Why an execution has failed; empty if it has not, or nobody can read it."""
    try:
        found = json.loads(state.error or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def decisive(state: RunState, entries: Sequence[Entry]) -> list[Entry]:
    """The failures that ended an execution: one, or several where branches or iterations of a loop
    failed at the same time. None where it did not end by the failure of a step."""
    node = error_of(state).get("node")
    if not isinstance(node, str):
        return []
    found = [entry for entry in entries if entry.kind is Kind.FAILURE and _node(entry) == node]
    left = [each for each in found if not _is_handled(each, node, found, entries)]
    return left or found[-1:]


def redone(failure: Entry, entries: Iterable[Entry], *, child: bool) -> Iterator[str]:
    """Keys of what has to go so that a step is done anew: its failure, its attempts, the end of its
    wait. What it drew stays, so that a service it asks again can tell that it is the same request.

    Args:
        failure: the step's failure.
        entries: the journal.
        child: whether it calls another execution than before.
    """
    yield failure.key
    mine = [entry for entry in entries if entry.key.startswith(f"{failure.key}!")]
    kinds = {Kind.ATTEMPT, Kind.WAIT}
    if any(entry.key == failure.key + CHILD for entry in mine):
        kinds.add(Kind.ANSWER)  # that of what it called; a late request may still end a wait
    for entry in mine:
        if entry.kind in kinds or (child and entry.key == failure.key + CHILD):
            yield entry.key


def called(failure: Entry, entries: Iterable[Entry]) -> str | None:
    """The execution that a step has called, or None if it calls none."""
    key = failure.key + CHILD
    return next((entry.value for entry in entries if entry.key == key), None)


def _node(entry: Entry) -> str | None:
    """The node that a failure tells of. Its text is read without resolving secrets."""
    try:
        return json.loads(entry.value)["$"][2][3]
    except (ValueError, LookupError, TypeError):
        return None


def _is_handled(
    failure: Entry, node: str, failures: Sequence[Entry], entries: Sequence[Entry]
) -> bool:
    path = failure.key.removeprefix(node)
    for other in entries:
        if other.number <= failure.number:
            continue
        if other.kind is Kind.ATTEMPT and other.key.startswith("!"):
            return True  # the whole workflow was tried again after it
        if other.kind is Kind.WINNER and path.startswith(_scope(other.key)):
            return True  # another branch has won the race
    return any(
        other.number > failure.number and _is_later(path, other.key.removeprefix(node))
        for other in failures
    )


def _scope(winner: str) -> str:
    """The iteration or attempt that a race took place in: the brackets at the end of its key."""
    name = winner.removesuffix("!winner")
    found = re.search(r"(?:\[\d+\]|#\d+)*$", name)
    return found[0] if found else ""


def _is_later(path: str, other: str) -> bool:
    """Whether `other` belongs to a later attempt at what `path` belongs to."""
    for found in _ATTEMPT.finditer(other):
        before, rest = other[: found.start()], path[found.start() :]
        if not path.startswith(before):
            return False
        mine = _ATTEMPT.match(rest)
        difference = int(found[1]) - (1 if mine is None else int(mine[1]))
        if difference:
            return difference > 0
    return False
