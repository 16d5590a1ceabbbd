"""What AWS sends to a function, as values of triggers.

Sources: the event formats of the AWS Lambda Developer Guide.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from nodegx.runtime.triggers.events import Event, conditions, subscription
from nodegx.runtime.triggers.records import FileEvent, QueueMessage, RecordChange
from nodegx.runtime.triggers.timetable import Tick, find_zone

from .dynamodb import plain_item

Payload = Mapping[str, Any]


class Occurrence(NamedTuple):
    """Something a trigger starts for.

    `id` is the source's name for it. Those of one `group` must keep their order; None is a group
    of its own. `depth` is how many events led to it.
    """

    value: Any
    id: str = ""
    group: str | None = None
    depth: int = 0


def schedule(zone: str) -> Callable[[Payload], Occurrence]:
    """Reads a schedule's own payload, `{"nodegx": {"trigger"}, "scheduled": ISO time}`.

    Args:
        zone: IANA name of the time zone in which the workflow sees times.
    """

    def read(event: Payload) -> Occurrence:
        place = find_zone(zone)
        now = datetime.now(place)
        due = event.get("scheduled")
        moment = now if due is None else datetime.fromisoformat(due).astimezone(place)
        return Occurrence(Tick(now.isoformat(), moment.isoformat()))

    return read


def bus_event(config: Payload) -> Callable[[Payload], Occurrence | None]:
    """Reads an event of the deployment's bus, or any other EventBridge event.

    Args:
        config: the trigger's name and filter.
    """
    wanted = subscription(config) if config.get("event") else None

    def read(event: Payload) -> Occurrence | None:
        inner: Payload = event.get("event", event)
        detail: Any = inner.get("detail") or {}
        time, source = inner.get("time", ""), inner.get("source", "")
        if source == "nodegx":
            value = Event(
                detail["name"], detail["data"], detail["id"], time, detail.get("source", "")
            )
            depth = int(detail.get("depth", 0))
        else:
            value = Event(inner["detail-type"], detail, inner.get("id", ""), time, source)
            depth = 0
        if wanted is not None and not wanted.takes(value):
            return None
        return Occurrence(value, value.id, depth=depth)

    return read


def queue_messages(event: Payload) -> Iterator[Occurrence]:
    """The messages of an SQS batch; a body that is JSON is parsed."""
    for record in event["Records"]:
        body = record["body"]
        with contextlib.suppress(ValueError, RecursionError):
            body = json.loads(body)
        attributes = {
            name: value.get("stringValue", value.get("binaryValue"))
            for name, value in record.get("messageAttributes", {}).items()
        }
        system: Payload = record.get("attributes", {})
        attempt = int(system.get("ApproximateReceiveCount", 1))
        id = record["messageId"]
        value = QueueMessage(body, id, attributes, attempt)
        yield Occurrence(value, id, system.get("MessageGroupId"))


def record_changes(config: Payload) -> Callable[[Payload], Iterator[Occurrence]]:
    """Reads a batch of a DynamoDB stream.

    Args:
        config: the trigger's events and filter.
    """
    kinds = _names(config.get("events"))
    tests = conditions(config.get("filter"))

    def read(event: Payload) -> Iterator[Occurrence]:
        for record in event["Records"]:
            change = record["dynamodb"]
            value = RecordChange(
                record["eventName"].lower(),
                plain_item(change.get("Keys", {})),
                plain_item(change["NewImage"]) if "NewImage" in change else None,
                plain_item(change["OldImage"]) if "OldImage" in change else None,
            )
            if kinds and value.event not in kinds:
                continue
            if all(holds(value._asdict()) for holds in tests):
                yield Occurrence(value, change["SequenceNumber"], "shard")

    return read


def file_events(config: Payload) -> Callable[[Payload], Iterator[Occurrence]]:
    """Reads a notification of an S3 bucket.

    Args:
        config: the trigger's events.
    """
    kinds = _names(config.get("events"))

    def read(event: Payload) -> Iterator[Occurrence]:
        for record in event["Records"]:
            stored: Payload = record["s3"]["object"]
            happened: str = record["eventName"].removeprefix("s3:").partition(":")[0]
            value = FileEvent(
                record["s3"]["bucket"]["name"],
                unquote_plus(stored["key"]),
                int(stored.get("size", 0)),
                _FILE_EVENTS.get(happened, happened),
                stored.get("eTag", ""),
            )
            if not kinds or value.event in kinds:
                yield Occurrence(value, stored.get("sequencer", stored["key"]))

    return read


_FILE_EVENTS = {
    "ObjectCreated": "created",
    "ObjectRemoved": "removed",
    "LifecycleExpiration": "removed",
}


def _names(given: Any) -> frozenset[str]:
    """Names of a parameter that takes one or several; none if it is not given."""
    if given is None:
        return frozenset()
    return frozenset([given] if isinstance(given, str) else given)
