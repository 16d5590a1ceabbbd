"""Values of the triggers that watch queues, files and tables."""

from __future__ import annotations

from typing import Any, NamedTuple


class QueueMessage(NamedTuple):
    """The value of `trigger.queue`. `body` is parsed if it is JSON; `attempt` counts from 1."""

    body: Any
    id: str
    attributes: dict[str, Any]
    attempt: int


class FileEvent(NamedTuple):
    """The value of `trigger.file`. `size` is in bytes; `event` is `created` or `removed`; `etag`
    is empty where the file is gone."""

    bucket: str
    key: str
    size: int
    event: str
    etag: str


class RecordChange(NamedTuple):
    """The value of `trigger.record`. `event` is `insert`, `modify` or `remove`; `new` and `old`
    are the record after and before, None where there is none."""

    event: str
    keys: dict[str, Any]
    new: dict[str, Any] | None
    old: dict[str, Any] | None
