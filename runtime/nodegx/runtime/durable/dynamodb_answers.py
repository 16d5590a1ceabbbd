"""Answers to waits, which come from anywhere at any time."""

from __future__ import annotations

from time import time

from .dynamodb_access import TRIES, RunItems, Sleeper, busy, sleeper_of
from .dynamodb_items import (
    DUE,
    LONG_ANSWER,
    Place,
    entry_value,
    hash_of,
    is_answered,
    run_key,
    weight_of,
)
from .dynamodb_requests import Item, Update, Value, hashes, number, text
from .state import Entry, Kind, RunStatus

CROWDED = 150_000
"""Bytes in an item from which on further answers go to the bucket, however short."""


class Answers(RunItems):
    """Takes answers."""

    def answer(self, id: str, key: str, value: str) -> bool:
        """See `RunStore`."""
        return self.answered(id, key, value) is not None

    def answered(self, id: str, key: str, value: str) -> Sleeper | None:
        """Like `answer`; returns the execution, or None where `answer` is False."""
        answer = Entry(key, Kind.ANSWER, value, started=time())
        inline = len(value) <= LONG_ANSWER
        written: Value | None = None
        for _ in range(TRIES):
            if written is None:
                limit = LONG_ANSWER if inline else 0
                written = entry_value(answer, id, self._objects, limit)
            for awaited in (True, False):
                item = self._answer(id, key, written, awaited=awaited, inline=inline)
                if item is not None:
                    return sleeper_of(item)
            found = self._get(id)
            if found is None:
                return None
            if is_answered(found, key):
                is_ours = found["answers"]["M"].get(key) == written  # the request was sent twice
                return sleeper_of(found) if is_ours else None
            if inline and int(found["bytes"]["N"]) >= CROWDED:
                inline, written = False, None
        raise busy(id)

    def _answer(
        self, id: str, key: str, written: Value, *, awaited: bool, inline: bool
    ) -> Item | None:
        """Keeps an answer, if the execution waits for it, or if it does not."""
        update = Update(self.table, run_key(id))
        short = update.value({"B": hashes([hash_of(key)])["BS"][0]})
        waits = (
            f"{update.name('status')} = {update.value(text(RunStatus.WAITING.value))}"
            f" AND contains({update.name('parked')}, {short})"
        )
        update.when_there()
        update.when(f"attribute_not_exists({update.name('answers', key)})")
        update.when(f"NOT contains({update.name('answered')}, {short})")
        update.when(waits if awaited else f"NOT ({waits})")
        if inline:
            update.when(f"{update.name('bytes')} < {update.value(number(CROWDED))}")
        update.set(written, "answers", key)
        update.add(number(1), "news")
        update.add(number(weight_of(key, written)), "bytes")
        if awaited:
            now = time()
            update.set(number(now), "due")
            update.set(number(now), "updated")
            update.set_all(Place(DUE, now).attributes(id))
        return self._change(update, "ALL_NEW")
