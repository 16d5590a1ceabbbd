"""What AWS sends to a function, as trigger values.

Each function takes one event of its source and yields (what identifies it, its value).
Sources: the event formats of the AWS Lambda Developer Guide.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from nodegx.runtime.triggers.events import Event
from nodegx.runtime.triggers.records import FileEvent, QueueMessage, RecordChange
from nodegx.runtime.triggers.timetable import Tick

from .dynamodb import plain_item

Payload = Mapping[str, Any]
Value = tuple[str, Any]


def schedule(event: Payload) -> Value:
    """A schedule's own payload: `{"nodegx": {"trigger"}, "scheduled": ISO time}`."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return "", Tick(now, event.get("scheduled") or now)


def bus_event(event: Payload) -> Value:
    """An event of the deployment's bus, or any other EventBridge event."""
    inner: Payload = event.get("event", event)
    detail: Any = inner.get("detail") or {}
    if inner.get("source") == "nodegx":
        value = Event(
            detail["name"], detail["data"], detail["id"], inner["time"], detail.get("source", "")
        )
    else:
        value = Event(
            inner["detail-type"], detail, inner["id"], inner["time"], inner.get("source", "")
        )
    return value.id, value


def event_depth(event: Payload) -> int:
    """How many events led to this one."""
    inner: Payload = event.get("event", event)
    detail: Any = inner.get("detail")
    return int(detail.get("depth", 0)) if inner.get("source") == "nodegx" else 0


def queue_messages(event: Payload) -> Iterator[Value]:
    """The messages of an SQS batch; a JSON body is parsed."""
    for record in event["Records"]:
        body = record["body"]
        with contextlib.suppress(ValueError):
            body = json.loads(body)
        attributes = {
            name: value.get("stringValue", value.get("binaryValue"))
            for name, value in record.get("messageAttributes", {}).items()
        }
        attempt = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        yield record["messageId"], QueueMessage(body, record["messageId"], attributes, attempt)


def record_changes(event: Payload) -> Iterator[Value]:
    """The changes of a DynamoDB stream batch."""
    for record in event["Records"]:
        change = record["dynamodb"]
        yield (
            change["SequenceNumber"],
            RecordChange(
                record["eventName"].lower(),
                plain_item(change.get("Keys", {})),
                plain_item(change["NewImage"]) if "NewImage" in change else None,
                plain_item(change["OldImage"]) if "OldImage" in change else None,
            ),
        )


def file_events(event: Payload) -> Iterator[Value]:
    """The objects of an S3 notification."""
    for record in event["Records"]:
        stored = record["s3"]["object"]
        yield (
            stored.get("sequencer", stored["key"]),
            FileEvent(
                record["s3"]["bucket"]["name"],
                unquote_plus(stored["key"]),
                int(stored.get("size", 0)),
                record["eventName"].removeprefix("s3:"),
                stored.get("eTag", ""),
            ),
        )
