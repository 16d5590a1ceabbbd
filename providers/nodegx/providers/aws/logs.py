"""What functions have written to their logs."""

from __future__ import annotations

import heapq
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from nodegx.providers.errors import ProviderError

from .cloud import error_code, translated
from .deployment import Deployment

POLL = 2.0
"""Seconds between two looks for new lines."""
LATE = 15.0
"""Seconds by which lines may arrive late."""
LEVELS = ("debug", "info", "warning", "error")

_REPORT = re.compile(
    r"REPORT RequestId: (?P<request>\S+)\s+Duration: (?P<duration>[\d.]+) ms.*?"
    r"Memory Size: (?P<size>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB"
    r"(?:\s+Init Duration: (?P<init>[\d.]+) ms)?",
    re.DOTALL,
)
_PLATFORM = re.compile(r"(?:INIT_START|START|END|REPORT|EXTENSION|XRAY)\b")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log.

    Args:
        time: when it was written, in seconds since the epoch.
        slug: of the workflow.
        level: `debug`, `info`, `warning` or `error`; `platform` for what Lambda itself writes.
        message: what it says.
        fields: what else it says, such as `execution` and `node`.
        id: AWS's own.
    """

    time: float
    slug: str
    level: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines to show.

    Args:
        since: written at or after, in seconds since the epoch.
        until: written before; None for no end.
        level: the least level.
        execution: id of the only execution.
        text: occurs somewhere in the line.
        platform: whether to show what Lambda itself writes.
    """

    since: float
    until: float | None = None
    level: str = "debug"
    execution: str | None = None
    text: str | None = None
    platform: bool = False

    def takes(self, line: Line) -> bool:
        """Whether a line is to be shown."""
        if line.level == "platform":
            return self.platform and self.execution is None
        return LEVELS.index(line.level) >= LEVELS.index(self.level) and (
            self.execution is None or line.fields.get("execution") == self.execution
        )

    @property
    def pattern(self) -> str:
        """What CloudWatch shall look for."""
        terms = [term for term in (self.execution, self.text) if term]
        return " ".join(json.dumps(term) for term in terms)


def read(deployment: Deployment, slugs: Sequence[str], wanted: Wanted) -> Iterator[Line]:
    """The lines of some functions, in the order of their times.

    Raises:
        ProviderError: a function has no log.
    """
    yield from heapq.merge(
        *(_lines(deployment, slug, wanted) for slug in slugs), key=lambda line: line.time
    )


def follow(
    deployment: Deployment,
    slugs: Sequence[str],
    wanted: Wanted,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Line | None]:
    """The lines of some functions, and those to come, without end. None after each look, so that
    whoever shows them can say so at once.

    Raises:
        ProviderError: a function has no log.
    """
    since = wanted.since
    known: dict[str, float] = {}
    while True:
        begun = time.time()
        part = Wanted(since, None, wanted.level, wanted.execution, wanted.text, wanted.platform)
        for line in read(deployment, slugs, part):
            # Emulated clouds have no ids.
            id = line.id or f"{line.time} {line.slug} {line.message} {line.fields}"
            if id not in known:
                known[id] = line.time
                yield line
        yield None
        since = max(since, begun - LATE)
        known = {id: at for id, at in known.items() if at >= since}
        sleep(POLL)


def _lines(deployment: Deployment, slug: str, wanted: Wanted) -> Iterator[Line]:
    client = deployment.cloud.client("logs")
    request: dict[str, Any] = {
        "logGroupName": deployment.names.log_group(slug),
        "startTime": int(wanted.since * 1000),
    }
    if wanted.until is not None:
        request["endTime"] = int(wanted.until * 1000)
    if wanted.pattern:
        request["filterPattern"] = wanted.pattern
    try:
        with translated("ResourceNotFoundException"):
            for page in client.get_paginator("filter_log_events").paginate(**request):
                for event in page["events"]:
                    line = parse(slug, event)
                    if wanted.takes(line):
                        yield line
    except Exception as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        raise deployment.missing(slug) from None


def parse(slug: str, event: Mapping[str, Any]) -> Line:
    """A line from an event of CloudWatch: ours are JSON, Lambda's own have words in front."""
    text = str(event["message"]).rstrip()
    at = float(event["timestamp"]) / 1000
    id = str(event.get("eventId") or "")
    data: Any = None
    if text.startswith("{"):
        try:
            data = json.loads(text)
        except ValueError:
            data = None
    if isinstance(data, dict):
        fields = cast("dict[str, Any]", data)
        message = fields.pop("message", None)
        if "type" in fields and str(fields["type"]).startswith("platform."):
            return Line(at, slug, "platform", str(fields.pop("type")), fields, id)
        level = str(fields.pop("level", "info")).lower()
        fields.pop("time", None)
        shown = text if message is None else str(message)
        return Line(at, slug, level if level in LEVELS else "info", shown, fields, id)
    if report := _REPORT.match(text):
        used = f"took {float(report['duration']):,.0f} ms, used {report['used']} of {report['size']} MB"
        init = f", start {float(report['init']):,.0f} ms" if report["init"] else ""
        return Line(at, slug, "platform", used + init, {"requestId": report["request"]}, id)
    if _PLATFORM.match(text):
        return Line(at, slug, "platform", text, {}, id)
    level = "error" if text.startswith(("[ERROR]", "Traceback")) else "info"
    return Line(at, slug, level, text, {}, id)


def check_level(level: str) -> str:
    """A level by its name.

    Raises:
        ProviderError: there is none of that name.
    """
    if level not in LEVELS:
        raise ProviderError(f"{level!r} is no level", f"there are {', '.join(LEVELS)}", "usage")
    return level
