"""One concurrent branch or iteration, followed to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.scope import SAME, Cancelled, Failed, Scope, Stopped, Tie


@dataclass
class Attempt:
    """One branch followed to its end: where it got to or what it raised, and when."""

    scope: Scope
    value: Any = None
    raised: Failed | Stopped | Cancelled | None = None

    @classmethod
    def of(cls, scope: Scope, body: Callable[[], Any]) -> Attempt:
        attempt = cls(scope)
        try:
            attempt.value = body()
        except (Failed, Stopped, Cancelled) as exc:
            attempt.raised = exc
        return attempt

    @property
    def time(self) -> float:
        return self.scope.time

    @property
    def arrived(self) -> str | None:
        return None if self.raised else self.value

    def result(self) -> Any:
        if self.raised is not None:
            raise self.raised
        return self.value


def check_clean_up(
    first: Attempt, attempts: Sequence[Attempt], scope: Scope, mode: str = "all"
) -> None:
    """`first` has ended the others. What they still do must not have an outcome of its own."""
    for each in attempts:
        if each is first or each.raised is None or isinstance(each.raised, Cancelled):
            continue
        if mode == "any" and isinstance(each.raised, Failed) and each.time < first.time:
            continue
        raise Tie
    if scope.time > scope.cancel_at - SAME:
        raise Tie
