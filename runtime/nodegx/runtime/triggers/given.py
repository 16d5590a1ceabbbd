"""Trigger values from JSON that a person gives: `nodegx run`, tests, a handler run on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

Config = Mapping[str, Any]


def trigger_value(type: str, config: Config, data: Any = None) -> Any:
    """The value a workflow sees from its trigger.

    For HTTP triggers, an object with `body`, `query`, `params` or `headers` and no key but the
    parts of a request is taken as the request; anything else is its body. For events, an object
    with `data` and no key but the parts of an event is the event; anything else is its data. A
    message of a queue is told by `body`, a file by `key` (or is a key), a change by `new` or `old`.

    Args:
        type: the trigger's type, such as `trigger.webhook`.
        config: the trigger's parameters, as the manifest has them.
        data: JSON data; None starts the workflow with nothing.

    Raises:
        InputError: the data does not fit the inputs that the trigger declares.
    """
    make = _MAKERS.get(type)
    return data if make is None else make(config, data)


def _parts(data: Any, names: tuple[str, ...], telling: tuple[str, ...]) -> dict[str, Any] | None:
    """`data` if it spells out the parts of a value: only keys of `names`, one of `telling`."""
    if not isinstance(data, Mapping):
        return None
    given = dict(cast("Mapping[str, Any]", data))
    fits = given.keys() <= set(names) and not given.keys().isdisjoint(telling)
    return given if fits else None


def _webhook(config: Config, data: Any) -> Any:
    from .request import WebhookRequest

    return WebhookRequest(**_request(config, data, WebhookRequest._fields))


def _cloud_request(config: Config, data: Any) -> Any:
    from .inputs import coerce
    from .request import CloudRequest, WebhookRequest

    parts = _request(config, data, WebhookRequest._fields)
    declared = config.get("parameters") or ()
    return CloudRequest(**parts, parameters=coerce(declared, parts["body"]) if declared else {})


def _request(config: Config, data: Any, names: tuple[str, ...]) -> dict[str, Any]:
    spelled_out = _parts(data, names, ("body", "query", "params", "headers"))
    given: dict[str, Any] = {"body": data} if spelled_out is None else spelled_out
    methods = config.get("method") or "POST"
    path = str(given.get("path") or config.get("path") or "/")
    params = cast("dict[str, Any]", given.get("params") or {})
    for name, value in params.items():
        path = path.replace(f"{{{name}}}", str(value))
    headers = cast("dict[str, Any]", given.get("headers") or {})
    defaults: dict[str, Any] = {
        "method": methods if isinstance(methods, str) else methods[0],
        "path": path,
        "params": {},
        "query": {},
        "body": None,
        "url": f"http://localhost{path}",
        "client": "127.0.0.1",
    }
    lower = {name.lower(): str(value) for name, value in headers.items()}
    return {**defaults, **given, "path": path, "headers": lower}


def _event(config: Config, data: Any) -> Any:
    from .events import Event

    given = _parts(data, Event._fields, ("data",)) or {"data": data}
    defaults = {
        "name": str(config.get("event", "")),
        "id": "by-hand",
        "time": _now(),
        "source": "",
    }
    return Event(**{**defaults, **given})


def _message(config: Config, data: Any) -> Any:
    from .records import QueueMessage

    given = _parts(data, QueueMessage._fields, ("body",)) or {"body": data}
    defaults: dict[str, Any] = {"id": "by-hand", "attributes": {}, "attempt": 1}
    return QueueMessage(**{**defaults, **given})


def _file(config: Config, data: Any) -> Any:
    from .records import FileEvent

    given = _parts(data, FileEvent._fields, ("key",)) or {"key": "" if data is None else str(data)}
    defaults: dict[str, Any] = {
        "bucket": str(config.get("bucket", "")),
        "size": 0,
        "event": "created",
        "etag": "",
    }
    return FileEvent(**{**defaults, **given})


def _change(config: Config, data: Any) -> Any:
    from .records import RecordChange

    given = _parts(data, RecordChange._fields, ("new", "old")) or {"new": data}
    has_new, has_old = given.get("new") is not None, given.get("old") is not None
    event = ("modify" if has_old else "insert") if has_new else "remove"
    defaults: dict[str, Any] = {"event": event, "keys": {}, "new": None, "old": None}
    return RecordChange(**{**defaults, **given})


def _schedule(config: Config, data: Any) -> Any:
    from .timetable import Tick, find_zone

    now = datetime.now(find_zone(config.get("timezone") or "UTC")).isoformat()
    given = _parts(data, Tick._fields, Tick._fields) or {}
    return Tick(**{"time": now, "scheduled": given.get("time", now), **given})


def _manual(config: Config, data: Any) -> Any:
    from .inputs import coerce

    return coerce(config.get("inputs") or (), data)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_MAKERS: dict[str, Callable[[Config, Any], Any]] = {
    "trigger.webhook": _webhook,
    "trigger.event": _event,
    "trigger.schedule": _schedule,
    "trigger.manual": _manual,
    "trigger.queue": _message,
    "trigger.file": _file,
    "trigger.record": _change,
    "cloud.request": _cloud_request,
}
