"""Events as AWS sends them to functions."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any


def http_event(
    method: str = "POST",
    path: str = "/orders",
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    route: str | None = None,
    cookies: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A request to an HTTP API, payload format 2.0. Bytes go as base64, text as it is, all else as
    JSON."""
    given = {"host": "abc.execute-api.eu-central-1.amazonaws.com", "x-forwarded-proto": "https"}
    is_binary = isinstance(body, bytes)
    if isinstance(body, bytes):
        body = base64.b64encode(body).decode("ascii")
    elif body is not None and not isinstance(body, str):
        given["content-type"] = "application/json"
        body = json.dumps(body)
    return {
        "version": "2.0",
        "routeKey": route or f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        **({"cookies": list(cookies)} if cookies else {}),
        "headers": {**given, **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route or f"{method} {path}",
            "stage": "$default",
            "timeEpoch": 1_767_225_600_000,
        },
        **({"body": body} if body is not None else {}),
        "isBase64Encoded": is_binary,
    }


def queue_event(*bodies: Any, group: str | None = None, queue: str = "orders") -> dict[str, Any]:
    """A batch of an SQS queue; message n has the id `m<n>`."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "AQEB",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {
                    "ApproximateReceiveCount": "2",
                    "SentTimestamp": "1767225600000",
                    **({"MessageGroupId": group} if group else {}),
                },
                "messageAttributes": {
                    "kind": {"stringValue": "test", "dataType": "String"},
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def stream_event(*changes: Mapping[str, Any], table: str = "orders") -> dict[str, Any]:
    """A batch of a DynamoDB stream; each change has `event`, `new` and `old` as typed JSON. Change
    n has the sequence number `n`."""
    return {
        "Records": [
            {
                "eventID": f"e{number}",
                "eventName": change["event"],
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-central-1",
                "dynamodb": {
                    "Keys": {"id": {"S": f"r{number}"}},
                    "SequenceNumber": str(number),
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                    **({"NewImage": change["new"]} if "new" in change else {}),
                    **({"OldImage": change["old"]} if "old" in change else {}),
                },
                "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/"
                f"{table}/stream/2026-01-01T00:00:00.000",
            }
            for number, change in enumerate(changes)
        ]
    }


def bucket_event(
    key: str, *, name: str = "ObjectCreated:Put", rule: str = "upload"
) -> dict[str, Any]:
    """A notification of an S3 bucket."""
    stored: dict[str, Any] = {"key": key, "sequencer": "0055AED6DCD90281E5"}
    if name.startswith("ObjectCreated"):
        stored |= {"size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e"}
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventName": name,
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": rule,
                    "bucket": {"name": "shop-test-uploads", "arn": "arn:aws:s3:::x"},
                    "object": stored,
                },
            }
        ]
    }


def schedule_event(trigger: str, scheduled: str = "2026-01-01T06:00:00Z") -> dict[str, Any]:
    """What a schedule sends."""
    return {"nodegx": {"trigger": trigger}, "scheduled": scheduled}


def bus_event(
    name: str, data: Any, *, trigger: str = "heard", source: str = "nodegx", depth: int = 1
) -> dict[str, Any]:
    """What a rule of an event bus sends: the whole event, with the trigger it is for."""
    detail = {"name": name, "data": data, "id": "01EVENT", "source": "01RUN", "depth": depth}
    event = {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": name,
        "source": source,
        "account": "123456789012",
        "time": "2026-01-01T06:00:00Z",
        "region": "eu-central-1",
        "detail": detail if source == "nodegx" else data,
    }
    return {"nodegx": {"trigger": trigger}, "event": event}


def call_event(input: Any, *, trigger: str | None = None, **call: Any) -> dict[str, Any]:
    """A direct invocation."""
    return {"nodegx": {"trigger": trigger, "call": call}, "input": input}
