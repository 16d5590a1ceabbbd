"""Trigger nodes as what starts a function on AWS."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nodegx.compiler.manifest import Manifest, TriggerEntry
from nodegx.runtime.durations import seconds as duration_seconds

from . import patterns, schedules
from .plan import (
    EventTrigger,
    FileTrigger,
    HttpTrigger,
    ManualTrigger,
    QueueTrigger,
    RecordTrigger,
    ScheduleTrigger,
    Trigger,
)

MAX_BODY = 6_291_456
"""Bytes of a request that Lambda takes."""
MAX_HIDDEN = 43_200
"""Seconds for which SQS can hide a message."""
HIDDEN_FOR = 6
"""How many times a function's timeout a message is hidden, by AWS's own advice."""
FILE_EVENTS = {"created": "s3:ObjectCreated:*", "removed": "s3:ObjectRemoved:*"}
STARTS = {"latest": "LATEST", "earliest": "TRIM_HORIZON"}

_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
_REST = re.compile(r"\{(\w+):path\}")

Config = Mapping[str, Any]


class Refused(Exception):
    """A trigger cannot be had on AWS; `param` is the parameter that stands in the way."""

    def __init__(self, code: str, message: str, hint: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.param = param


class Warn(Protocol):
    """Tells of something that works differently on AWS."""

    def __call__(self, code: str, message: str, hint: str, *, param: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a trigger is part of: its workflow, its function's timeout in seconds, the name of its
    node in expressions, and where to tell of what is different."""

    manifest: Manifest
    timeout: int
    name: str
    warn: Warn


def trigger_of(entry: TriggerEntry, context: Context) -> Trigger:
    """What starts the function for a trigger node.

    Raises:
        Refused: AWS has nothing of that kind.
    """
    make = _TRIGGERS.get(entry.type)
    if make is None:
        raise Refused(
            "NX704", f"AWS has nothing that does the work of {entry.type}", "use another trigger"
        )
    return make(entry, context)


def _name(entry: TriggerEntry, context: Context) -> str:
    return "" if context.name == entry.node else context.name


# ----------------------------------------------------------------------------------- HTTP


def _webhook(entry: TriggerEntry, context: Context) -> Trigger:
    methods = _list(entry.config.get("method") or "POST")
    path = _REST.sub(r"{\1+}", str(entry.config["path"])).rstrip("/") or "/"
    return _http(entry, context, methods, path)


def _cloud_request(entry: TriggerEntry, context: Context) -> Trigger:
    function = context.manifest.name.rpartition("/")[2]
    if _PLAIN_SEGMENT.fullmatch(function) is None:
        message = f'the name "{function}" cannot be part of a path on AWS'
        raise Refused("NX704", message, "use letters, digits, -, _ and . in the workflow's name")
    return _http(entry, context, ["POST"], f"/functions/{function}")


def _http(entry: TriggerEntry, context: Context, methods: list[str], path: str) -> Trigger:
    names = [str(method).upper() for method in methods]
    if "GET" in names and "HEAD" not in names:
        names.append("HEAD")  # answered like GET, without the body
    if entry.config.get("cors"):
        names.append("OPTIONS")  # browsers ask first; the function answers
    rate, burst = _throttle(entry.config.get("rateLimit"), context)
    if int(entry.config.get("maxBodyBytes") or 0) > MAX_BODY:
        message = f"Lambda takes requests of at most {MAX_BODY:,} bytes, whatever maxBodyBytes says"
        context.warn("NX706", message, "let large files be put into a bucket", param="maxBodyBytes")
    return HttpTrigger(
        node=entry.node,
        name=_name(entry, context),
        routes=tuple(f"{method} {path}" for method in dict.fromkeys(names)),
        rate=rate,
        burst=burst,
    )


def _throttle(limit: Config | None, context: Context) -> tuple[float | None, int | None]:
    if not limit:
        return None, None
    requests, per = int(limit["requests"]), duration_seconds(limit.get("per", 60))
    if limit.get("by", "client") == "all":
        return max(requests / per, 0.01), requests
    context.warn(
        "NX706",
        "each instance of the function counts its own callers, so that together they let more pass",
        'use "by": "all" for a limit that AWS keeps for all instances together',
        param="rateLimit",
    )
    return None, None


# ---------------------------------------------------------------------------------- others


def _schedule(entry: TriggerEntry, context: Context) -> Trigger:
    config = entry.config
    try:
        expression = schedules.expression(config)
    except schedules.Untranslatable as problem:
        param = "every" if config.get("cron") is None else "cron"
        raise Refused("NX701", str(problem), problem.hint, param) from None
    return ScheduleTrigger(
        node=entry.node,
        name=_name(entry, context),
        expression=expression,
        timezone=config.get("timezone") or context.manifest.settings.timezone,
        catch_up=bool(config.get("catchUp", False)),
        pause=math.ceil(schedules.longest_pause(config)),
    )


def _event(entry: TriggerEntry, context: Context) -> Trigger:
    return EventTrigger(
        node=entry.node, name=_name(entry, context), pattern=patterns.event_pattern(entry.config)
    )


def _queue(entry: TriggerEntry, context: Context) -> Trigger:
    config = entry.config
    hidden = config.get("visibilityTimeout")
    seconds = (
        HIDDEN_FOR * context.timeout if hidden is None else math.ceil(duration_seconds(hidden))
    )
    if seconds < context.timeout:
        raise Refused(
            "NX705",
            f"messages come back after {seconds} s while the function may still work on them "
            f"for {context.timeout} s",
            f"hide them for {HIDDEN_FOR * context.timeout} s, or shorten the workflow's timeout",
            "visibilityTimeout",
        )
    window = math.ceil(duration_seconds(config["maxBatchingWindow"]))
    return QueueTrigger(
        node=entry.node,
        name=_name(entry, context),
        queue=str(config["queue"]),
        batch_size=int(config["batchSize"]),
        batch_window=window,
        visibility_timeout=min(seconds + window, MAX_HIDDEN),
        max_receives=int(config["maxReceives"]),
    )


def _file(entry: TriggerEntry, context: Context) -> Trigger:
    config = entry.config
    return FileTrigger(
        node=entry.node,
        name=_name(entry, context),
        bucket=str(config["bucket"]),
        events=tuple(FILE_EVENTS[event] for event in _list(config["events"])),
        prefix=str(config["prefix"]),
        suffix=str(config["suffix"]),
        notification=entry.node,
    )


def _record(entry: TriggerEntry, context: Context) -> Trigger:
    config = entry.config
    return RecordTrigger(
        node=entry.node,
        name=_name(entry, context),
        table=str(config["table"]),
        pattern=patterns.record_pattern(config),
        start=STARTS[config["startFrom"]],
        batch_size=int(config["batchSize"]),
    )


def _list(given: Any) -> list[str]:
    """A parameter that is one text or a list of them."""
    return [given] if isinstance(given, str) else list(dict.fromkeys(given or ()))


def _manual(entry: TriggerEntry, context: Context) -> Trigger:
    return ManualTrigger(node=entry.node, name=_name(entry, context))


_TRIGGERS: Mapping[str, Callable[[TriggerEntry, Context], Trigger]] = {
    "trigger.webhook": _webhook,
    "cloud.request": _cloud_request,
    "trigger.schedule": _schedule,
    "trigger.event": _event,
    "trigger.queue": _queue,
    "trigger.file": _file,
    "trigger.record": _record,
    "trigger.manual": _manual,
}
