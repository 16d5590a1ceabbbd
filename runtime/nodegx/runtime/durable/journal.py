"""What an execution has done so far, and what it does now, compared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar

from .state import Entry, Kind
from .suspension import Mismatch

Append = Callable[[list[Entry]], Awaitable[None]]

START = "^"
"""Where the flow begins."""

place: ContextVar[str] = ContextVar("place", default=START)
"""Where this branch of the flow is: the key of its latest step, or the fork or iteration it began
with. Each branch of a fork is a task and so has a place of its own."""

_STEPS = frozenset({Kind.RESULT, Kind.FAILURE})


class Journal:
    """The journal of one execution.

    Entries that can be found again by doing the same, such as drawn ids, are kept back until
    something outside may see them, or the next step ends.

    Args:
        entries: what is written already.
        append: writes further entries; returns once they are safe.
    """

    def __init__(self, entries: Iterable[Entry], append: Append) -> None:
        self._append = append
        self._known: dict[str, Entry] = {}
        self._following: dict[str, str] = {}
        self._held_back: list[Entry] = []
        self._releasing = asyncio.Lock()  # held while that is written
        self._last = 0
        for entry in entries:
            self._known[entry.key] = entry
            self._last = max(self._last, entry.number)
            if entry.kind in _STEPS:
                self._following[entry.after] = entry.key

    def find(self, key: str) -> Entry | None:
        """The entry of that key, or None."""
        return self._known.get(key)

    def recall(self, key: str, digest: str) -> Entry | None:
        """The outcome of a step that is about to begin, or None if it has not ended before.

        Raises:
            Mismatch: it began with another input, or another step began here.
        """
        entry = self._known.get(key)
        after = place.get()
        if entry is None or entry.kind not in _STEPS:
            recorded = self._following.get(after)
            if recorded is not None and recorded != key:
                raise Mismatch(
                    f"The code runs `{key}` {_where(after)}, where the journal has `{recorded}`"
                )
            return None
        if entry.digest and entry.digest != digest:
            raise Mismatch(
                f"The input of `{key}` is not what the journal has: its hash is {digest}, and was"
                f" {entry.digest}"
            )
        self._following.pop(entry.after, None)
        return entry

    def unreached(self) -> str | None:
        """A step that an earlier pass has done and this one has not come to, or None."""
        return next(iter(self._following.values()), None)

    async def keep(self, entry: Entry) -> None:
        """Writes an entry, and what was held back, and returns once it is safe."""
        self._number(entry)
        if not self._held_back:
            await self._append([entry])
            return
        async with self._releasing:
            await self._append([*self.rest(), entry])

    async def flush(self) -> None:
        """Returns once everything is safe that was drawn so far, in whichever branch."""
        if self._releasing.locked() or any(e.kind is Kind.DRAW for e in self._held_back):
            async with self._releasing:
                if entries := self.rest():
                    await self._append(entries)

    def hold_back(self, entry: Entry) -> None:
        """Writes an entry with the next one, or by `flush`."""
        self._number(entry)
        self._held_back.append(entry)

    def rest(self) -> list[Entry]:
        """What is held back, to be written by the caller."""
        entries, self._held_back = self._held_back, []
        return entries

    def _number(self, entry: Entry) -> None:
        self._last += 1
        entry.number = self._last
        self._known[entry.key] = entry


def _where(after: str) -> str:
    return "at the start" if after == START else f"after `{after}`"
