"""What every store of idempotency keys can do.

Stores are synchronous and safe to use from several threads. Several processes may share one; which
of them has a key is decided by one conditional write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Claim(NamedTuple):
    """An execution wants a key. Times are in seconds since the epoch.

    Args:
        key: the key, as `keys.place` gives it.
        execution: id of the execution that will run.
        fingerprint: tells the request from others; empty where that does not matter.
        expires: when the key is forgotten.
        until: when the execution has ended for sure: if it has not settled the key by then, it is
            dead. None where only the end of its process tells.
        dead: an execution that is known to be dead; the key is taken from it.
    """

    key: str
    execution: str
    fingerprint: str
    expires: float
    until: float | None = None
    dead: str | None = None


class Held(NamedTuple):
    """Who has a key.

    Args:
        execution: the execution that claimed it.
        fingerprint: that of its request.
        done: whether it was settled.
        answer: what it was settled with; None if that was not to be kept.
        dead: whether it was not settled, and its process has ended or its time is over.
    """

    execution: str
    fingerprint: str
    done: bool
    answer: bytes | None = None
    dead: bool = False


class Settlement(NamedTuple):
    """What an execution answered; None if that is not to be kept."""

    key: str
    execution: str
    answer: bytes | None


class Release(NamedTuple):
    """An execution gives a key back, as it has failed."""

    key: str
    execution: str


class KeyStore(Protocol):
    """A place that remembers keys.

    Every method may raise `StoreUnavailable`: trying again later may help.
    """

    limit: int
    """Bytes that an answer may have."""

    lease: float | None
    """Seconds after which a process that has not been heard of is taken for dead; None where its
    end shows by itself, or only claims' own times count."""

    def claim(self, claims: Sequence[Claim], *, now: float) -> list[Held | None]:
        """Gives each key to the execution that wants it, by one write: if nobody has it, if its
        time is over, or if `dead` has it and has not settled it. For each that stays with somebody
        else: who that is."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Keeps answers until their keys expire; not even a loss of power undoes it. False for an
        execution that does not have the key, or has settled it already."""
        ...

    def release(self, releases: Sequence[Release]) -> list[bool]:
        """Forgets keys. False for an execution that does not have the key, or has settled it."""
        ...

    def find(self, key: str, *, now: float) -> Held | None:
        """Who has a key; None if nobody does, or its time is over."""
        ...

    def beat(self) -> None:
        """This process lives; to be called several times in each `lease` while it has keys."""
        ...

    def prune(self, now: float) -> int:
        """Removes keys whose time is over. Returns how many."""
        ...

    def close(self) -> None:
        """Lets go of files and connections: what this process has claimed and not settled is dead
        from now on. Closing twice is harmless."""
        ...
